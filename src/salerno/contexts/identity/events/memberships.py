"""What happens between an account and another organisation that it works in."""

from typing import TypeAlias
from uuid import UUID

from salerno.kernel.messages import Event


class MembershipOffered(Event, tag="identity.membership_offered.v1"):
    """Somebody whose account is at home in another organisation was asked to work here too."""

    account: UUID
    role: str
    email: str
    full_name: str
    staff: UUID | None = None


class MembershipAccepted(Event, tag="identity.membership_accepted.v1"):
    account: UUID


class MembershipEnded(Event, tag="identity.membership_ended.v1"):
    account: UUID
    reason: str


class MemberRoleChanged(Event, tag="identity.member_role_changed.v1"):
    account: UUID
    role: str


class MemberRoleAdded(Event, tag="identity.member_role_added.v1"):
    """Somebody whose home is elsewhere may do here what this role may, beside theirs, or `instead` of it."""

    account: UUID
    role: str
    instead: bool = False


class MemberRoleTaken(Event, tag="identity.member_role_taken.v1"):
    account: UUID
    role: str


MembershipEvent: TypeAlias = (
    MembershipOffered | MembershipAccepted | MembershipEnded | MemberRoleChanged | MemberRoleAdded | MemberRoleTaken
)
