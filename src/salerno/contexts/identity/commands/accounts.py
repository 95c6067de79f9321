"""What an administrator asks about accounts, and what everybody may ask about their own looks."""

from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta

from salerno.kernel.messages import Command

Name = Annotated[str, Meta(max_length=120)]
Address = Annotated[str, Meta(min_length=3, max_length=254)]
Reason = Annotated[str, Meta(max_length=500)]
Language = Literal["", "it", "en"]
Theme = Literal["", "light", "dark"]


class CreateUser(Command):
    """An account that may be used at once. Without a password its owner cannot sign in by one yet."""

    account_id: UUID | None = None
    email: Address
    password: str | None = None
    given_name: Name = ""
    family_name: Name = ""
    full_name: Annotated[str, Meta(max_length=240)] = ""
    role: str
    staff_id: UUID | None = None
    language: Language = ""

    def __repr__(self) -> str:
        return f"CreateUser(account_id={self.account_id}, role={self.role})"


class UpdateUser(Command):
    """Fields left out stay as they are."""

    account_id: UUID
    given_name: Name | None = None
    family_name: Name | None = None
    staff_id: UUID | None = None


class ApproveUser(Command):
    account_id: UUID


class ChangeUserRole(Command):
    account_id: UUID
    role: str


class DeactivateUser(Command):
    account_id: UUID
    reason: Reason = ""


class ReactivateUser(Command):
    account_id: UUID


class UnlockUser(Command):
    """Forget the failed attempts that lock this account."""

    account_id: UUID


class ResetSecondFactor(Command):
    """For somebody who has lost the telephone and the recovery codes."""

    account_id: UUID


class EndUserSessions(Command):
    account_id: UUID


class ChangePreferences(Command):
    """Of one's own account. An empty text means: as the browser says."""

    language: Language | None = None
    theme: Theme | None = None


UserCommand: TypeAlias = (
    CreateUser
    | UpdateUser
    | ApproveUser
    | ChangeUserRole
    | DeactivateUser
    | ReactivateUser
    | UnlockUser
    | ResetSecondFactor
    | EndUserSessions
    | ChangePreferences
)
