"""The command palette's answers: actions and pages by their words, patients by their names."""

import unicodedata
from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta

from salerno.contexts.patients.queries import FindPatients
from salerno.interfaces.http import Body, Request, Response, ask, caller_of, get, read_query
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.navigation import Place, actions_of, rail_of
from salerno.interfaces.web.pages import reader_of, render, translate_for

ENOUGH = 3  # letters: fewer would list half of the practice
SHOWN = 8


class Wanted(Body):
    q: Annotated[str, Meta(max_length=200)] = ""


@get("/palette", public="asks each room in the name of whoever is signed in", media="text/html", query=Wanted)
async def palette(request: Request[Any, Any, Any]) -> Response[Any]:
    """What the words could mean: places to go, then patients from the third letter."""
    caller, words = caller_of(request), read_query(request, Wanted).q.strip()
    found: Sequence[Any] = ()
    if len(words) >= ENOUGH and "patients.find" in caller.permissions:
        found = (await ask(request, FindPatients(q=words, limit=SHOWN))).results
    return render(request, "parts/palette.html", places=_places(request, words), found=found)


def _places(request: Request[Any, Any, Any], words: str) -> list[Place]:
    """By what is read on them and by what one would call them, in the reader's language; every word must be there."""
    reader, translate = reader_of(request), translate_for(look_of(request).language)
    wanted = folded(words).split()
    offered = [*actions_of(reader), *rail_of(reader)]

    def told(place: Place) -> str:
        return folded(f"{translate(place.label)} {translate(place.also) if place.also else ''}")

    return [place for place in offered if wanted and all(word in told(place) for word in wanted)]


def folded(text: str) -> str:
    """Without accents and capitals, as people type."""
    return "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))


PAGES = [palette]
