"""The patients room, hung on the bus."""

from pathlib import Path

from salerno.contexts.patients.access import NEEDS
from salerno.contexts.patients.errors import MrnTaken
from salerno.contexts.patients.events import EVENTS
from salerno.contexts.patients.guards import GUARDS
from salerno.contexts.patients.handlers import HANDLERS
from salerno.contexts.patients.projections import LISTENS, PATIENTS_TABLE, PROJECTIONS
from salerno.contexts.patients.queries import ANSWERS
from salerno.contexts.patients.rules.fields import GROUPS
from salerno.kernel.room import Room

PATIENTS = Room(
    name="patients",
    folder=Path(__file__).parent,
    events=EVENTS,
    handlers=HANDLERS,
    answers=ANSWERS,
    needs=NEEDS,
    documents=(PATIENTS_TABLE,),
    guards=GUARDS,
    projections=PROJECTIONS,
    listens=LISTENS,
    about_charts=frozenset(group.permission for group in GROUPS),
    refusals={"mrn_is_unique": MrnTaken},
)
