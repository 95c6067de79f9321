"""The staff room, hung on the bus."""

from pathlib import Path

from salerno.contexts.staff.access import NEEDS
from salerno.contexts.staff.events import EVENTS
from salerno.contexts.staff.handlers import HANDLERS
from salerno.contexts.staff.projections import DOCTORS, LISTENS, MEMBERS
from salerno.contexts.staff.queries import ANSWERS
from salerno.kernel.room import Room

STAFF = Room(
    name="staff",
    folder=Path(__file__).parent,
    events=EVENTS,
    handlers=HANDLERS,
    answers=ANSWERS,
    needs=NEEDS,
    documents=(MEMBERS, DOCTORS),
    listens=LISTENS,
)
