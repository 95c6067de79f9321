"""Whether a secret has the form of one, and whether anybody could have guessed it."""

import base64
import binascii
import re
from itertools import pairwise

KEY_BYTES = 32
FEWEST_DIFFERENT = 8  # of 32 random hexadecimal digits fewer come once in ten million times
SAMPLE_WORDS = re.compile(
    r"change[-_ ]?(me|this|it)|your[-_ ]|example|sample|secret|password|encrypt|character|default|insecure|dummy"
    r"|replace|placeholder|development|testing|letmein|salerno|lorem|[-_]key[-_]",
    re.IGNORECASE,
)
RUNS = ("0123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl")


def key_of(text: str) -> bytes | None:
    """The 32 bytes of an encryption key: 32 characters as they stand, or base64 of 32 bytes; None for other forms."""
    if len(text) == KEY_BYTES and text.isascii():
        return text.encode()
    try:
        raw = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == KEY_BYTES else None


def weakness(secret: str) -> str:
    """Why a secret must not be used, or "" where nothing speaks against it."""
    if len(secret) < KEY_BYTES:
        return "is shorter than 32 characters."
    raw = key_of(secret)
    forms = [secret.encode(), *([raw] if raw else [])]
    if any(_repeats(form) or _counts_up(form) for form in forms):
        return "is a pattern, not a random value."
    if any(SAMPLE_WORDS.search(form.decode("latin-1")) for form in forms):
        return "is a sample value from a document."
    return ""


def _repeats(form: bytes) -> bool:
    """Few different bytes, or one piece over and over."""
    return len(set(form)) < FEWEST_DIFFERENT or form in (form + form)[1:-1]


def _counts_up(form: bytes) -> bool:
    """Made of runs: of neighbouring values, or of the rows of a keyboard."""
    steps = sum(abs(after - before) == 1 for before, after in pairwise(form))
    text = form.decode("latin-1").lower()
    return steps > len(form) // 2 or sum(len(run) for run in RUNS if run in text) >= KEY_BYTES // 2
