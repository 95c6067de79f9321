"""The organisation itself: what it is called, where it is, how it is reached, and whose clocks it keeps."""

from typing import Annotated, Any

from msgspec import Meta, structs

from salerno.contexts.organisations.commands import ChangeSettings, GivenAddress, UpdateOrganisation
from salerno.contexts.organisations.queries import Organisation, OrganisationSheet
from salerno.interfaces.http import Body, Filled, Request, Response, ask, get, post, read_form
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.navigation import sections_of
from salerno.interfaces.web.pages import go_to, reader_of
from salerno.interfaces.web.settings import lists
from salerno.interfaces.web.settings.saving import (
    FRESH,
    Attempt,
    Version,
    after,
    attempt,
    clash,
    flat,
    page,
    read,
    wrong,
)

HTML = "text/html"
PATH = "/settings/organisation"


class Description(Body):
    """The form. A field left empty is emptied."""

    version: Version
    name: str = ""
    legal_name: str | None = None
    vat_number: str | None = None
    phone: str | None = None
    email: str | None = None
    website: str | None = None
    address: GivenAddress = GivenAddress()


class Surroundings(Body):
    """Where it is and what is spoken there."""

    version: Version
    country: str = ""
    timezone: str = ""
    languages: Annotated[tuple[str, ...], Meta(max_length=10)] = ()


@get("/settings", public="sends on to the first tab that the reader may use", media=HTML)
async def settings(request: Request[Any, Any, Any]) -> Response[Any]:
    """The settings: the first tab that one may use, or one's own account."""
    sections = sections_of(reader_of(request))
    return go_to(request, sections[0][1][0].path if sections else "/account")


@get(PATH, of=Organisation, media=HTML)
async def organisation(request: Request[Any, Any, Any]) -> Response[Any]:
    """The organisation's name, address and contacts, and its time zone and languages."""
    return _page(request, await ask(request, Organisation()))


def _page(
    request: Request[Any, Any, Any],
    sheet: OrganisationSheet,
    tried: Attempt = FRESH,
    filled: Any = None,
    form: str = "",
) -> Response[Any]:
    chosen = sheet.organisation.settings
    shown: dict[str, Any] = flat(sheet.organisation) | {"country": chosen.country, "timezone": chosen.timezone}
    spoken = chosen.languages
    if filled is not None:
        shown |= filled
        spoken = tuple(filled.many.get("languages", ())) if form == "surroundings" else spoken
    made: Response[Any] = page(
        request,
        "organisation",
        "organisation",
        tried,
        sheet=sheet,
        filled=shown,
        form=form,
        spoken=spoken,
        countries=lists.countries(look_of(request).language),
        timezones=lists.timezones(),
        spoken_here=lists.languages(),
    )
    return made


@post(PATH, of=UpdateOrganisation, media=HTML)
async def describe(request: Request[Any, Any, Any]) -> Response[Any]:
    """Save name, address and contacts."""
    filled = await read_form(request)
    form, errors = read(Description, filled)
    if form is None:
        return await _again(request, wrong(errors), filled, "description")
    given = {name: getattr(form, name) for name in structs.asdict(form) if name != "version"}
    return await _save(request, UpdateOrganisation(**given), form.version, filled, "description")


@post(f"{PATH}/surroundings", of=ChangeSettings, media=HTML)
async def surroundings(request: Request[Any, Any, Any]) -> Response[Any]:
    """Save country, time zone and languages."""
    filled = await read_form(request)
    form, errors = read(Surroundings, filled)
    if form is None:
        return await _again(request, wrong(errors), filled, "surroundings")
    command = ChangeSettings(country=form.country, timezone=form.timezone, languages=form.languages)
    return await _save(request, command, form.version, filled, "surroundings")


async def _save(
    request: Request[Any, Any, Any], command: Any, version: int, filled: Filled, form: str
) -> Response[Any]:
    tried = await attempt(request, command, version)
    return after(request, PATH) if tried.fine else await _again(request, tried, filled, form)


async def _again(request: Request[Any, Any, Any], tried: Attempt, filled: Filled, form: str) -> Response[Any]:
    """The form as it was typed, on the newest version: saving it again is a choice made with open eyes."""
    sheet = await ask(request, Organisation())
    if tried.clash:
        chosen = sheet.organisation.settings
        tried = clash(filled, flat(sheet.organisation) | {"country": chosen.country, "timezone": chosen.timezone})
    return _page(request, sheet, tried, filled, form)


PAGES = [settings, organisation, describe, surroundings]
