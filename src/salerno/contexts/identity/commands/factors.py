"""The second factor: an authenticator's codes, and recovery codes for the day it is lost."""

from typing import Annotated

from msgspec import Meta, Struct

from salerno.contexts.identity.commands.sign_in import Password
from salerno.kernel.messages import Errand

Code = Annotated[str, Meta(max_length=100)]


class EnrolTotp(Errand):
    """Begin: answers a secret for the authenticator. It counts only once a code of it was confirmed."""

    password: Password

    def __repr__(self) -> str:
        return "EnrolTotp()"


class TotpSecret(Struct, frozen=True, kw_only=True):
    secret: str
    uri: str

    def __repr__(self) -> str:
        return "TotpSecret()"


class ConfirmTotp(Errand):
    """Finish: answers recovery codes, shown once, and a new token for the present session."""

    code: Code

    def __repr__(self) -> str:
        return "ConfirmTotp()"


class RecoveryCodes(Struct, frozen=True, kw_only=True):
    codes: tuple[str, ...]
    token: str = ""

    def __repr__(self) -> str:
        return "RecoveryCodes()"


class RegenerateRecoveryCodes(Errand):
    """New ones; the old ones are void."""

    password: Password

    def __repr__(self) -> str:
        return "RegenerateRecoveryCodes()"


class RemoveTotp(Errand):
    """Do without the second factor, where the role allows it."""

    password: Password
    code: Code

    def __repr__(self) -> str:
        return "RemoveTotp()"
