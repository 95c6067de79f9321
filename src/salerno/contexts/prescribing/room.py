"""Everything the room hangs on the bus."""

from pathlib import Path

from salerno.contexts.prescribing.access import NEEDS
from salerno.contexts.prescribing.data.tables import tables
from salerno.contexts.prescribing.events import EVENTS
from salerno.contexts.prescribing.handlers import HANDLERS
from salerno.contexts.prescribing.projections import LISTENS, MEDICINES, PRESCRIPTIONS
from salerno.contexts.prescribing.queries import ANSWERS
from salerno.kernel.room import Room

tables()  # a table that does not load must stop the start, not the first prescription

PRESCRIBING = Room(
    name="prescribing",
    folder=Path(__file__).parent,
    events=EVENTS,
    handlers=HANDLERS,
    answers=ANSWERS,
    needs=NEEDS,
    documents=(PRESCRIPTIONS, MEDICINES),
    listens=LISTENS,
)
