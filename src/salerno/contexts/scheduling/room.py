"""The scheduling room, hung on the bus."""

from pathlib import Path

from salerno.contexts.scheduling.access import NEEDS
from salerno.contexts.scheduling.errors import SlotPassing
from salerno.contexts.scheduling.events import EVENTS
from salerno.contexts.scheduling.guards import GUARDS
from salerno.contexts.scheduling.handlers import HANDLERS
from salerno.contexts.scheduling.policies import POLICIES
from salerno.contexts.scheduling.projections import APPOINTMENTS, CATALOGUE, LISTENS
from salerno.contexts.scheduling.queries import ANSWERS
from salerno.kernel.room import Room

SCHEDULING = Room(
    name="scheduling",
    folder=Path(__file__).parent,
    events=EVENTS,
    handlers=HANDLERS,
    answers=ANSWERS,
    needs=NEEDS,
    about_charts=frozenset({"scheduling.arrive"}),
    documents=(APPOINTMENTS,),
    guards=GUARDS,
    projections=(CATALOGUE,),
    listens=LISTENS,
    policies=POLICIES,
    refusals={"no_two_at_once": SlotPassing},
)
