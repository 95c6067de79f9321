"""The protection room, hung on the bus."""

from pathlib import Path

from salerno.contexts.protection.access import NEEDS
from salerno.contexts.protection.events import EVENTS
from salerno.contexts.protection.handlers import HANDLERS
from salerno.contexts.protection.projections import GLASSES, LISTENS, RESTRICTIONS
from salerno.contexts.protection.queries import ANSWERS
from salerno.kernel.room import Room

PROTECTION = Room(
    name="protection",
    folder=Path(__file__).parent,
    events=EVENTS,
    handlers=HANDLERS,
    answers=ANSWERS,
    needs=NEEDS,
    documents=(RESTRICTIONS, GLASSES),
    listens=LISTENS,
)
