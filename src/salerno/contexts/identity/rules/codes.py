"""One-time codes: which step a code belongs to, and how recovery and chart codes are written."""

import hashlib
import re
import secrets
from datetime import datetime

import pyotp
from pyotp.utils import strings_equal

STEP = 30
TRIES = 5
RECOVERY_CODES = 10
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # 32 of them, 5 bits each, without look-alikes
LENGTH = 16  # 80 bits


def step_of(secret: str, code: str, last: int, now: datetime) -> int | None:
    """The time step for which this code is right and not used yet; one step early or late is taken."""
    digits = re.sub(r"\s", "", code)
    if not re.fullmatch(r"[0-9]{6}", digits):
        return None
    totp, current = pyotp.TOTP(secret), int(now.timestamp()) // STEP
    return next(
        (step for step in range(current - 1, current + 2) if step > last and _right(totp, step, digits)),
        None,
    )


def _right(totp: pyotp.TOTP, step: int, digits: str) -> bool:
    return strings_equal(totp.generate_otp(step), digits)


def new_code() -> str:
    """A code of 80 bits, in groups that a person can read out."""
    drawn = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    return "-".join(drawn[nth : nth + 4] for nth in range(0, LENGTH, 4))


def hash_of(code: str) -> bytes:
    """Codes have 80 random bits, so a plain hash is enough; case, spaces and dashes do not matter."""
    return hashlib.sha256(re.sub(r"[\s-]", "", code).upper().encode("utf-8", "replace")).digest()


def token_hash(token: str) -> bytes:
    """What is kept of a token of 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
