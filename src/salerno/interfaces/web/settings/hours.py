"""The week of a member of staff at one location."""

from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from msgspec import Meta, field

from salerno.contexts.organisations.queries import Location
from salerno.contexts.staff.commands import SetWorkingHours, WeeklyHours
from salerno.contexts.staff.queries import StaffDetail, StaffMemberById
from salerno.interfaces.http import Body, FieldError, Request, Response, ask, get, post, read_form
from salerno.interfaces.http.problems import field_error
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.rights import require
from salerno.interfaces.web.settings.locations import DAYS, HALVES
from salerno.interfaces.web.settings.saving import FRESH, Attempt, Version, after, attempt, id_in, page, read, wrong
from salerno.interfaces.web.words import mark

HTML = "text/html"
WEEK = "/settings/staff/{staff_id:uuid}/hours/{location_id:uuid}"
CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"
Clock = Annotated[str, Meta(pattern=CLOCK)]


class Week(Body):
    """Two stretches a day, `opening.mon.a.from` to `opening.mon.a.to`, as locations have them."""

    version: Version = 0
    opening: dict[str, dict[str, dict[str, Clock]]] = field(default_factory=dict)
    valid_from: date | None = None
    valid_until: date | None = None


@get(WEEK, of=StaffMemberById, media=HTML)
async def week(request: Request[Any, Any, Any]) -> Response[Any]:
    """The hours as they are now."""
    require(request, SetWorkingHours)
    return await _page(request)


async def _page(request: Request[Any, Any, Any], tried: Attempt = FRESH, filled: Any = None) -> Response[Any]:
    member: StaffDetail = await ask(request, StaffMemberById(staff_id=id_in(request, "staff_id")))
    place = await ask(request, Location(location_id=id_in(request, "location_id")))
    made: Response[Any] = page(
        request, "staff", "hours", tried,
        member=member, place=place.location, days=DAYS, filled=filled or _shown(request, member),
    )  # fmt: skip
    return made


def _shown(request: Request[Any, Any, Any], member: StaffDetail) -> dict[str, str]:
    """The newest plan for this place, to be changed from today on."""
    here = [plan for plan in member.plans if plan.location == id_in(request, "location_id")]
    shown = {"valid_from": _today(request).isoformat(), "valid_until": ""}
    counted = dict.fromkeys(DAYS, 0)
    for one in sorted(here[-1].hours if here else (), key=lambda each: (each.weekday, each.start)):
        day = DAYS[one.weekday]
        if counted[day] < len(HALVES):
            path = f"opening.{day}.{HALVES[counted[day]]}"
            shown |= {f"{path}.from": one.start, f"{path}.to": one.end}
        counted[day] += 1
    return shown


def _today(request: Request[Any, Any, Any]) -> date:
    now: datetime = request.app.state["setup"].clock.now()
    return now.astimezone(ZoneInfo(look_of(request).zone)).date()


@post(WEEK, of=SetWorkingHours, media=HTML)
async def plan(request: Request[Any, Any, Any]) -> Response[Any]:
    """Save the week."""
    staff_id, filled = id_in(request, "staff_id"), await read_form(request)
    form, errors = read(Week, filled)
    if form is None:
        return await _page(request, wrong(errors), filled)
    if half := _half_filled(form):
        return await _page(request, wrong(half), filled)
    command = SetWorkingHours(
        staff_id=staff_id,
        location_id=id_in(request, "location_id"),
        hours=_hours(form),
        valid_from=form.valid_from,
        valid_until=form.valid_until,
    )
    tried = await attempt(request, command, form.version)
    return after(request, f"/settings/staff/{staff_id}") if tried.fine else await _page(request, tried, filled)


def _half_filled(form: Week) -> list[FieldError]:
    said = mark("A stretch of hours needs a beginning and an end.")
    return [
        field_error(f"opening.{day}.{half}.{'to' if 'from' in one else 'from'}", "half-a-stretch", said)
        for day, halves in form.opening.items()
        for half, one in halves.items()
        if len(one) == 1
    ]


def _hours(form: Week) -> tuple[WeeklyHours, ...]:
    stretches = ((number, form.opening.get(day, {}).get(half)) for number, day in enumerate(DAYS) for half in HALVES)
    return tuple(WeeklyHours(weekday=number, start=one["from"], end=one["to"]) for number, one in stretches if one)


PAGES = [week, plan]
