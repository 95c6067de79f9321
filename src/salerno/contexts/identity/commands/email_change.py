"""Another e-mail address for an account: asked for, confirmed from the new one, undone from the old one."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from salerno.contexts.identity.commands.sign_in import Token
from salerno.kernel.messages import Errand

Address = Annotated[str, Meta(min_length=3, max_length=254)]


class AskEmailChange(Errand):
    """A letter with a link goes to the new address, and the old one is told. Nothing has changed by that.

    The answer is the same where another account has the address: its owner alone hears of it, by letter.
    """

    email: Address

    def __repr__(self) -> str:
        return "AskEmailChange()"


class AskEmailChangeOf(Errand):
    """The same, for an account that the caller administers. Its owner confirms it all the same."""

    account_id: UUID
    email: Address

    def __repr__(self) -> str:
        return f"AskEmailChangeOf(account_id={self.account_id})"


class ConfirmEmailChange(Errand):
    """The link of the letter came back, in a session of the account. Answers Opened; every other session ends.

    Without the session, whoever a mistyped address belongs to could take the account over.
    """

    token: Token

    def __repr__(self) -> str:
        return "ConfirmEmailChange()"


class RevokeEmailChange(Errand):
    """By the link that the old address was sent. Everything is as before, and every session has ended."""

    token: Token

    def __repr__(self) -> str:
        return "RevokeEmailChange()"
