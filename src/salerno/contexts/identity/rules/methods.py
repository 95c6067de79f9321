"""By what somebody has shown who they are, in the words that programs read (RFC 8176, `amr` and `acr`)."""

from collections.abc import Mapping, Sequence
from typing import Any

REGISTERED = frozenset(
    {
        "face", "fpt", "geo", "hwk", "iris", "kba", "mca", "mfa", "otp", "pin", "pop", "pwd", "rba", "retina", "sc",
        "sms", "swk", "tel", "user", "vbm", "wia",
    }
)  # fmt: skip
PASSWORD = ("pwd",)
# A recovery code is a second factor that the registry has no word for.
CODES = {"totp": ("otp", "mfa"), "recovery-code": ("mfa",)}
# The profiles of REFEDS, which hospitals' and universities' programs know.
ONE_FACTOR, SEVERAL_FACTORS = "https://refeds.org/profile/sfa", "https://refeds.org/profile/mfa"
LEVELS = (ONE_FACTOR, SEVERAL_FACTORS)


def of_passkey(*, synced: bool) -> tuple[str, ...]:
    """A key and whoever the device knows: two factors. One that is synced is in software somewhere."""
    return ("swk" if synced else "hwk", "user", "mfa")


def of_provider(claims: Mapping[str, Any], *, vouched: bool = False) -> tuple[str, ...]:
    """What another provider says that it was shown there, as far as the registry knows it. Nothing is made up.

    That there were several factors is said only where the operator relies on that provider's word for it (`vouched`).
    """
    said = claims.get("amr")
    listed = [one for one in said if isinstance(one, str) and one in REGISTERED] if isinstance(said, list) else []
    return together([one for one in listed if one != "mfa"], ("mfa",) if vouched else ())


def together(*shown: Sequence[str]) -> tuple[str, ...]:
    """Each once, in the order in which it was shown; that there were several factors comes last."""
    every = dict.fromkeys(one for some in shown for one in some)
    return (*(one for one in every if one != "mfa"), *(("mfa",) if "mfa" in every else ()))


def level_of(shown: Sequence[str]) -> str:
    """The `acr`; "" where nobody has said what was shown."""
    if "mfa" in shown:
        return SEVERAL_FACTORS
    return ONE_FACTOR if shown else ""
