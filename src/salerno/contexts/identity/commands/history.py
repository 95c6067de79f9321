"""How an account was signed in to, or tried: its owner's to see, and the administrators'."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from salerno.kernel.messages import Errand, Query

Limit = Annotated[int, Meta(ge=1, le=200)]
Offset = Annotated[int, Meta(ge=0, le=1_000_000)]


class MySignIns(Errand):
    """The sign-ins of the caller's own account, newest first, those refused as well."""

    limit: Limit = 20
    offset: Offset = 0


class SignInsOfUser(Query):
    """The same of an account that is at home in this organisation."""

    account_id: UUID
    limit: Limit = 20
    offset: Offset = 0


class SignInLine(Struct, frozen=True, kw_only=True):
    """`method` of one that succeeded: password, totp, recovery-code, passkey. `reason` of one that was refused.

    `device` is known or new where it was a browser; `agent` is how browser or program named itself.
    """

    at: datetime
    outcome: Literal["signed-in", "refused"]
    method: str = ""
    reason: str = ""
    address: str = ""
    agent: str = ""
    device: str = ""
