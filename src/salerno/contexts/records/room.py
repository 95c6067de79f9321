"""Everything the room hangs on the bus."""

from pathlib import Path

from salerno.contexts.records.access import NEEDS
from salerno.contexts.records.events import EVENTS
from salerno.contexts.records.handlers import HANDLERS
from salerno.contexts.records.policies import POLICIES
from salerno.contexts.records.projections import KEPT_RESOURCES, MERGED_CHARTS, PEOPLE, SECTIONS
from salerno.contexts.records.queries import ANSWERS
from salerno.kernel.room import Room

RECORDS = Room(
    name="records",
    folder=Path(__file__).parent,
    events=EVENTS,
    handlers=HANDLERS,
    answers=ANSWERS,
    needs=NEEDS,
    documents=(*SECTIONS, KEPT_RESOURCES),
    listens=(PEOPLE, MERGED_CHARTS),
    policies=POLICIES,
)
