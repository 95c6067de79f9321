"""Working in several organisations with one account: offers, acceptance, switching, leaving."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from salerno.kernel.messages import Command, Errand


class EndMembership(Command):
    """Somebody whose home is elsewhere works here no longer."""

    account_id: UUID
    reason: str = ""


class ChangeMemberRole(Command):
    """Another role for somebody whose home is elsewhere."""

    account_id: UUID
    role: str


class MyOrganisations(Errand):
    """Where the caller works, or is asked to: the home first."""


class OrganisationLine(Struct, frozen=True, kw_only=True):
    """`status`: "home", "offered" or "active"."""

    organisation_id: UUID
    name: str
    role: str
    status: str
    since: datetime | None = None
    current: bool = False


class AcceptMembership(Errand):
    organisation_id: UUID


class LeaveOrganisation(Errand):
    """Decline an offer, or work there no longer."""

    organisation_id: UUID


class SwitchOrganisation(Errand):
    """Go on in another organisation that one works in. Answers Opened: the session has a new token."""

    organisation_id: UUID
