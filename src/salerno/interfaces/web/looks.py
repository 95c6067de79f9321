"""In which language and colours a page is shown: the account's choice, this browser's, or what it says it prefers."""

import re
from dataclasses import dataclass
from typing import Any, Final

from litestar.datastructures import Cookie

from salerno.interfaces.http import Request, session_of
from salerno.interfaces.web.languages import LANGUAGES

COOKIE: Final = "__Host-look"
THEMES: Final = ("auto", "light", "dark")
YEAR = 31_536_000
DEFAULT_ZONE: Final = "Europe/Rome"
ACCEPTED = re.compile(r"([a-z]{1,8})(?:-[A-Za-z0-9]{1,8})*\s*(?:;\s*q=([01](?:\.\d{1,3})?))?")


@dataclass(frozen=True, slots=True)
class Look:
    """`zone` is the clinic's: times are shown as its clocks show them."""

    language: str
    theme: str
    zone: str = DEFAULT_ZONE


def look_of(request: Request[Any, Any, Any]) -> Look:
    found = session_of(request)
    language, theme = _from_cookie(request)
    chosen = found.language if found and found.language else language
    coloured = found.theme if found and found.theme else theme
    return Look(
        language=chosen if chosen in LANGUAGES else _accepted(request.headers.get("accept-language", "")),
        theme=coloured if coloured in THEMES else "auto",
        zone=(found.zone if found else "") or DEFAULT_ZONE,
    )


def _from_cookie(request: Request[Any, Any, Any]) -> tuple[str, str]:
    language, _, theme = request.cookies.get(COOKIE, "").partition(".")
    return language, theme


def _accepted(header: str) -> str:
    weighed = [(float(weight or 1), language) for language, weight in ACCEPTED.findall(header[:200])]
    known = [(weight, language) for weight, language in weighed if language in LANGUAGES and weight > 0]
    return max(known, key=lambda pair: pair[0])[1] if known else "en"


def cookie_of(look: Look) -> Cookie:
    """Remembers the look of this browser; it says nothing about who uses it."""
    value = f"{look.language}.{look.theme}"
    return Cookie(key=COOKIE, value=value, path="/", secure=True, httponly=True, samesite="lax", max_age=YEAR)
