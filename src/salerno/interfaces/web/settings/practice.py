"""How the practice works: length of visits, hours of the calendar, who needs a second factor, when sessions end."""

from typing import Annotated, Any

from msgspec import Meta, field

from salerno.contexts.organisations.commands import ChangeSettings
from salerno.contexts.organisations.queries import Organisation, OrganisationSheet
from salerno.interfaces.http import Body, Filled, Request, Response, ask, get, post, read_form
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
    page,
    read,
    wrong,
)

HTML = "text/html"
PATH = "/settings/practice"


class Practice(Body):
    """The form. `idle_minutes` holds a number for the roles that differ from the others."""

    version: Version
    visit_minutes: int
    buffer_minutes: int
    calendar_from: str
    calendar_until: str
    second_factor_roles: Annotated[tuple[str, ...], Meta(max_length=8)] = ()
    idle_minutes_default: int
    idle_minutes: dict[str, int] = field(default_factory=dict)
    duplicate_threshold: float
    patients_book_online: bool = False
    password_demanded: bool = False
    booking_days_ahead: int
    cancellation_hours: int


@get(PATH, of=Organisation, media=HTML)
async def practice(request: Request[Any, Any, Any]) -> Response[Any]:
    """The preferences of the practice."""
    require(request, ChangeSettings)
    return _page(request, await ask(request, Organisation()))


def _page(
    request: Request[Any, Any, Any], sheet: OrganisationSheet, tried: Attempt = FRESH, filled: Filled | None = None
) -> Response[Any]:
    chosen = sheet.organisation.settings
    shown = flat(chosen) | (filled or {})
    factors = chosen.second_factor_roles if filled is None else filled.many.get("second_factor_roles", [])
    online = chosen.patients_book_online if filled is None else "patients_book_online" in filled
    demanded = chosen.password_demanded if filled is None else "password_demanded" in filled
    made: Response[Any] = page(
        request, "practice", "practice", tried, sheet=sheet, filled=shown, factors=factors, online=online,
        roles=lists.ROLES, demanded=demanded,
    )  # fmt: skip
    return made


@post(PATH, of=ChangeSettings, media=HTML)
async def save(request: Request[Any, Any, Any]) -> Response[Any]:
    """Save them."""
    filled = await read_form(request)
    form, errors = read(Practice, filled)
    if form is None:
        return _page(request, await ask(request, Organisation()), wrong(errors), filled)
    given = {name: getattr(form, name) for name in form.__struct_fields__ if name != "version"}
    tried = await attempt(request, ChangeSettings(**given), form.version)
    if tried.fine:
        return after(request, PATH)
    sheet = await ask(request, Organisation())
    if tried.clash:
        tried = clash(filled, flat(sheet.organisation.settings))
    return _page(request, sheet, tried, filled)


PAGES = [practice, save]
