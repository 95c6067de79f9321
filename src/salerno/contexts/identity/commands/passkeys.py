"""Passkeys (WebAuthn): a question for the device, and its answer. A passkey is two factors by itself."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.identity.commands.factors import Code
from salerno.contexts.identity.commands.sign_in import Kind, Password, Token
from salerno.kernel.messages import Errand

Options = dict[str, Any]
PasskeyName = Annotated[str, Meta(min_length=1, max_length=60)]


class BeginPasskey(Errand):
    """Options for `navigator.credentials.create`, good for five minutes in this session."""


class AddPasskey(Errand):
    """The device's answer. Answers PasskeyKept; every other session ends."""

    name: PasskeyName
    credential: dict[str, Any]

    def __repr__(self) -> str:
        return "AddPasskey()"


class PasskeyKept(Struct, frozen=True, kw_only=True):
    """`codes` are the account's first recovery codes, shown once; `token` is the present session's new one."""

    passkey_id: UUID
    codes: tuple[str, ...] = ()
    token: str = ""

    def __repr__(self) -> str:
        return f"PasskeyKept(passkey_id={self.passkey_id})"


class MyPasskeys(Errand):
    """The caller's passkeys, oldest first."""


class PasskeyLine(Struct, frozen=True, kw_only=True):
    passkey_id: UUID
    name: str
    added_at: datetime
    used_at: datetime | None = None
    synced: bool = False


class RemovePasskey(Errand):
    passkey_id: UUID


class OfferPasskey(Errand):
    """Options for `navigator.credentials.get`: the same for everybody, so that they tell of no account."""


class EnterByPasskey(Errand):
    """Sign in with a passkey alone. Answers Opened."""

    credential: dict[str, Any]
    kind: Kind = "web"
    device: Token = ""
    agent: Annotated[str, Meta(max_length=400)] = ""
    previous: Token = ""

    def __repr__(self) -> str:
        return f"EnterByPasskey(kind={self.kind})"


class ProveAgain(Errand):
    """Show once more who one is, before something grave or behind a locked screen. Answers Opened.

    By passkey; by a code, where there is an authenticator; by the password, where there is no second factor.
    `unlock` takes the password as well: the session itself was opened with everything that was asked.
    """

    password: Password = ""
    code: Code = ""
    credential: dict[str, Any] | None = None
    purpose: Literal["grave", "unlock"] = "grave"

    def __repr__(self) -> str:
        return f"ProveAgain(purpose={self.purpose})"


class LockScreen(Errand):
    """Until its owner shows who they are, the session opens nothing."""
