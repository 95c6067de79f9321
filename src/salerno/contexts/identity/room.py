"""The identity room, hung on the bus."""

from pathlib import Path

from salerno.contexts.identity.access import NEEDS
from salerno.contexts.identity.events import EVENTS
from salerno.contexts.identity.guards import GUARDS
from salerno.contexts.identity.handlers import ERRANDS, HANDLERS
from salerno.contexts.identity.policies import POLICIES
from salerno.contexts.identity.projections import ACCOUNTS, CLIENTS, LISTENS, MADE_ROLES, MEMBERS
from salerno.contexts.identity.queries import ANSWERS
from salerno.contexts.identity.rules.roles import named_permissions
from salerno.kernel.room import Room

IDENTITY = Room(
    name="identity",
    folder=Path(__file__).parent,
    events=EVENTS,
    handlers=HANDLERS,
    answers=ERRANDS | ANSWERS,
    needs=NEEDS,
    documents=(ACCOUNTS, MEMBERS, CLIENTS, MADE_ROLES),
    guards=GUARDS,
    listens=LISTENS,
    policies=POLICIES,
)
named_permissions()
