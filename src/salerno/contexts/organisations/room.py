"""The organisations room, hung on the bus."""

from pathlib import Path

from salerno.contexts.organisations.access import NEEDS
from salerno.contexts.organisations.events import EVENTS
from salerno.contexts.organisations.guards import GUARDS
from salerno.contexts.organisations.handlers import HANDLERS
from salerno.contexts.organisations.projections import HOSPITALS, LOCATIONS
from salerno.contexts.organisations.queries import ANSWERS
from salerno.kernel.room import Room

ORGANISATIONS = Room(
    name="organisations",
    folder=Path(__file__).parent,
    events=EVENTS,
    handlers=HANDLERS,
    answers=ANSWERS,
    needs=NEEDS,
    documents=(HOSPITALS, LOCATIONS),
    guards=GUARDS,
)
