"""The vigilance room, hung on the bus."""

from pathlib import Path

from salerno.contexts.vigilance.access import NEEDS
from salerno.contexts.vigilance.events import EVENTS
from salerno.contexts.vigilance.handlers import HANDLERS
from salerno.contexts.vigilance.policies import POLICIES
from salerno.contexts.vigilance.projections import ALERTS, LISTENS
from salerno.contexts.vigilance.queries import ANSWERS
from salerno.kernel.room import Room

VIGILANCE = Room(
    name="vigilance",
    folder=Path(__file__).parent,
    events=EVENTS,
    handlers=HANDLERS,
    answers=ANSWERS,
    needs=NEEDS,
    documents=(ALERTS,),
    listens=LISTENS,
    policies=POLICIES,
)
