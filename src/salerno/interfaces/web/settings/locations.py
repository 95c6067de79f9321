"""Where patients are seen: sites with their addresses and opening hours."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from msgspec import field

from salerno.contexts.organisations.commands import (
    AddLocation,
    CloseLocation,
    GivenAddress,
    GivenOpening,
    ReopenLocation,
    UpdateLocation,
)
from salerno.contexts.organisations.events import Opening
from salerno.contexts.organisations.queries import Location, Locations
from salerno.interfaces.http import Body, Request, Response, ask, get, post, read_form
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.rights import require
from salerno.interfaces.web.settings import lists
from salerno.interfaces.web.settings.saving import (
    FRESH,
    Attempt,
    Version,
    after,
    attempt,
    clash,
    flat,
    id_in,
    page,
    read,
    wrong,
)

HTML = "text/html"
PATH = "/settings/locations"
ONE = f"{PATH}/{{location_id:uuid}}"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HALVES = ("a", "b")


class Site(Body):
    """The form: opening hours travel as `mon.a.from`, `mon.a.to` and so on, two stretches a day."""

    version: Version = 0
    name: str = ""
    phone: str = ""
    email: str = ""
    address: GivenAddress = GivenAddress()
    opening: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)


@get(PATH, of=Locations, media=HTML)
async def locations(request: Request[Any, Any, Any]) -> Response[Any]:
    """Every location, the closed ones last."""
    require(request, UpdateLocation)
    found = await ask(request, Locations(closed_too=True))
    return page(request, "locations", "locations", found=sorted(found, key=lambda one: (one.closed, one.name)))  # type: ignore[no-any-return]


@get(f"{PATH}/new", of=AddLocation, media=HTML)
async def new(request: Request[Any, Any, Any]) -> Response[Any]:
    """An empty form."""
    require(request, AddLocation)
    return _page(request, {}, None)


@get(ONE, of=Location, media=HTML)
async def one(request: Request[Any, Any, Any]) -> Response[Any]:
    """A location to be changed."""
    require(request, UpdateLocation)
    sheet = await ask(request, Location(location_id=id_in(request, "location_id")))
    return _page(request, flat(sheet.location) | shown_hours(sheet.location.opening), sheet)


def _page(request: Request[Any, Any, Any], filled: Any, sheet: Any, tried: Attempt = FRESH) -> Response[Any]:
    countries = lists.countries(look_of(request).language)
    made: Response[Any] = page(
        request, "locations", "location", tried, filled=filled, sheet=sheet, days=DAYS, countries=countries
    )
    return made


@post(f"{PATH}/new", of=AddLocation, media=HTML)
async def add(request: Request[Any, Any, Any]) -> Response[Any]:
    """Add a location."""
    filled = await read_form(request)
    form, errors = read(Site, filled)
    if form is None:
        return _page(request, filled, None, wrong(errors))
    tried = await attempt(request, AddLocation(**_told(form)))
    return after(request, PATH, "added") if tried.fine else _page(request, filled, None, tried)


@post(ONE, of=UpdateLocation, media=HTML)
async def change(request: Request[Any, Any, Any]) -> Response[Any]:
    """Save a location."""
    location_id, filled = id_in(request, "location_id"), await read_form(request)
    form, errors = read(Site, filled)
    if form is not None:
        tried = await attempt(request, UpdateLocation(location_id=location_id, **_told(form)), form.version)
        if tried.fine:
            return after(request, PATH)
    else:
        tried = wrong(errors)
    sheet = await ask(request, Location(location_id=location_id))
    if tried.clash:
        tried = clash(filled, flat(sheet.location) | shown_hours(sheet.location.opening))
    return _page(request, filled, sheet, tried)


@post(f"{ONE}/close", of=CloseLocation, media=HTML)
async def close(request: Request[Any, Any, Any]) -> Response[Any]:
    """Close a location: nothing new is planned there."""
    await attempt(request, CloseLocation(location_id=id_in(request, "location_id")))
    return after(request, PATH, "closed")


@post(f"{ONE}/reopen", of=ReopenLocation, media=HTML)
async def reopen(request: Request[Any, Any, Any]) -> Response[Any]:
    """Open it again."""
    await attempt(request, ReopenLocation(location_id=id_in(request, "location_id")))
    return after(request, PATH)


def _told(form: Site) -> dict[str, Any]:
    return {
        "name": form.name, "phone": form.phone, "email": form.email, "address": form.address,
        "opening": opening_of(form.opening),
    }  # fmt: skip


def opening_of(given: dict[str, dict[str, dict[str, str]]]) -> tuple[GivenOpening, ...]:
    """The stretches that were filled in; one with a single end reaches the rules, which say what is missing."""
    stretches = ((day, given.get(day, {}).get(half, {})) for day in DAYS for half in HALVES)
    return tuple(
        GivenOpening(day=day, opens=one.get("from", ""), closes=one.get("to", ""))  # type: ignore[arg-type]
        for day, one in stretches
        if one
    )


def shown_hours(opening: Sequence[Opening]) -> dict[str, str]:
    """The first two stretches of each day, as the form names them."""
    shown: dict[str, str] = {}
    for day, stretches in groupby(opening, key=lambda one: one.day):
        for half, one in zip(HALVES, stretches, strict=False):
            shown |= {f"opening.{day}.{half}.from": one.opens, f"opening.{day}.{half}.to": one.closes}
    return shown


PAGES = [locations, new, one, add, change, close, reopen]
