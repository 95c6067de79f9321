"""What is done by a link in a letter: confirming an address, choosing another password, accepting an invitation."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from salerno.contexts.identity.commands.accounts import Language, Name
from salerno.contexts.identity.commands.sign_in import Password, Token
from salerno.kernel.messages import Command, Errand


class TellOfSignIn(Command):
    """Let the account's owner know by letter of a sign-in that was unusual. Wished by a policy, and by nobody else."""

    account_id: UUID
    session_id: UUID


class AskPasswordReset(Errand):
    """A link goes to this address, where it has an account. The answer is the same where it has none."""

    email: Annotated[str, Meta(max_length=1000)]

    def __repr__(self) -> str:
        return "AskPasswordReset()"


class ResetPassword(Errand):
    """Another password, by the link. Every session ends; a second factor is still asked for at the next sign-in."""

    token: Token
    password: Password

    def __repr__(self) -> str:
        return "ResetPassword()"


class ConfirmEmail(Errand):
    """The address is whose it is said to be: the link came there, and who opened it knows the password.

    Answers what the account is now: "active", or "pending" until somebody approves it. Without the password,
    somebody could sign up with another person's address and have that person open the account for them.
    """

    token: Token
    password: Password

    def __repr__(self) -> str:
        return "ConfirmEmail()"


class InviteUser(Command):
    """An account for somebody else, who gets a letter and chooses a password by its link."""

    account_id: UUID | None = None
    email: Annotated[str, Meta(min_length=3, max_length=254)]
    given_name: Name
    family_name: Name
    role: str
    staff_id: UUID | None = None
    language: Language = ""

    def __repr__(self) -> str:
        return f"InviteUser(account_id={self.account_id}, role={self.role})"


class InviteAgain(Command):
    """Another letter; the link of the one before is void."""

    account_id: UUID


class AcceptInvitation(Errand):
    """Choose the password of an account that one was invited to. The account is active from then on."""

    token: Token
    password: Password

    def __repr__(self) -> str:
        return "AcceptInvitation()"


class TellPrivacyOfficers(Command):
    """A letter to each administrator but the one it is about: there is a break-glass to review. Nobody asks for it."""

    about: UUID
    by: UUID
