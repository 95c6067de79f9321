"""Which permission each question needs. A patient may know who has looked at the own chart."""

from salerno.contexts.audit.queries import (
    AccessesOfPatient,
    AccessEventById,
    AccessEvents,
    NamesOfActors,
    WritesOfPatient,
)
from salerno.kernel.messages import Command, Query
from salerno.kernel.room import Needs

NEEDS: dict[type[Command] | type[Query], Needs] = {
    AccessesOfPatient: Needs("audit.read", opens="access", own=True),
    AccessEvents: Needs("audit.read", opens="access"),
    AccessEventById: Needs("audit.read", opens="access"),
    WritesOfPatient: Needs("audit.trail", opens="clinical", own=True),
    NamesOfActors: Needs("audit.names"),
}
