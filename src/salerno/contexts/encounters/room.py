"""Everything the room hangs on the bus."""

from pathlib import Path

from salerno.contexts.encounters.access import NEEDS
from salerno.contexts.encounters.events import EVENTS
from salerno.contexts.encounters.handlers import HANDLERS
from salerno.contexts.encounters.policies import POLICIES
from salerno.contexts.encounters.projections import MERGED_CHARTS, NOTES, VISITS
from salerno.contexts.encounters.queries import ANSWERS
from salerno.kernel.room import Room

ENCOUNTERS = Room(
    name="encounters",
    folder=Path(__file__).parent,
    events=EVENTS,
    handlers=HANDLERS,
    answers=ANSWERS,
    needs=NEEDS,
    about_charts=frozenset({"encounters.diagnose"}),
    documents=(VISITS, NOTES),
    listens=(MERGED_CHARTS,),
    policies=POLICIES,
)
