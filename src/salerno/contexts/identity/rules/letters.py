"""What Salerno writes to people, from one readable table, and when a letter that did not go out is tried again."""

import tomllib
from datetime import timedelta
from functools import cache
from importlib import resources
from typing import Any

# Here nobody is told to do nothing.
QUIET = frozenset(
    {
        "password-changed", "factor-changed", "invitation", "offered", "unusual-sign-in", "break-glass", "email-asked",
        "email-changed", "password-dropped",
    }
)  # fmt: skip
SPOKEN = ("en", "it")
SOONEST, LATEST = timedelta(seconds=30), timedelta(hours=1)


def written(kind: str, language: str, link: str, life: timedelta) -> tuple[str, str]:
    """Subject and body, in the language of whoever reads it; English where that is not known."""
    words = _words()[language if language in SPOKEN else "en"]
    said = words[kind]
    body = said["body"].strip().format(link=link, life=_in_words(words, life))
    parts = [words["greeting"], body, *([] if kind in QUIET else [words["unasked"]]), f"-- \n{words['closing']}"]
    return said["subject"], "\n\n".join(parts) + "\n"


def kinds() -> frozenset[str]:
    return frozenset(name for name, said in _words()["en"].items() if isinstance(said, dict))


def pause(tries: int) -> timedelta:
    """Twice as long after each failure, up to an hour."""
    longer: int = 2 ** min(tries - 1, 20)
    return min(SOONEST * longer, LATEST)


def _in_words(words: dict[str, Any], life: timedelta) -> str:
    whole = life // timedelta(days=1)
    return str(words["days"] % whole if whole else words["minutes"] % (life // timedelta(minutes=1)))


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads((resources.files("salerno.contexts.identity") / "data" / "letters.toml").read_text("utf-8"))
