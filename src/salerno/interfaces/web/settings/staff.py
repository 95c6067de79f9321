"""Who works here: the record of each, and when they are away."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Meta

from salerno.contexts.organisations.queries import Locations
from salerno.contexts.staff.commands import (
    AddStaffMember,
    AddTimeOff,
    DoctorDetails,
    RemoveStaffMember,
    RemoveTimeOff,
    UpdateStaffMember,
)
from salerno.contexts.staff.queries import StaffDetail, StaffMemberById, StaffMembers
from salerno.interfaces.http import Body, Request, Response, ask, get, post, read_form, read_query
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.rights import may, require
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
PATH = "/settings/staff"
ONE = f"{PATH}/{{staff_id:uuid}}"
FIELDS = ("given_name", "family_name", "role", "specialty", "title", "email", "phone", "employee_number")
LICENCE = ("licence_number", "licence_authority", "licence_valid_until")
ABSENCES = ("leave", "illness", "training", "other")


class Looked(Body):
    done: Annotated[str, Meta(max_length=20)] = ""
    q: Annotated[str, Meta(max_length=200)] = ""


class Person(Body):
    """The form of a member of staff; the licence is a doctor's."""

    version: Version = 0
    given_name: Annotated[str, Meta(min_length=1, max_length=120)]
    family_name: Annotated[str, Meta(min_length=1, max_length=120)]
    role: str
    specialty: Annotated[str, Meta(max_length=120)] = ""
    title: Annotated[str, Meta(max_length=120)] = ""
    email: Annotated[str, Meta(max_length=254)] = ""
    phone: Annotated[str, Meta(max_length=40)] = ""
    employee_number: Annotated[str, Meta(max_length=40)] = ""
    licence_number: Annotated[str, Meta(max_length=60)] = ""
    licence_authority: Annotated[str, Meta(max_length=120)] = ""
    licence_valid_until: date | None = None


class Absence(Body):
    """Away from one local day and time to another; whole days where no time is given."""

    away_from: date
    away_from_time: time | None = None
    away_until: date
    away_until_time: time | None = None
    away_kind: str = "leave"
    away_reason: Annotated[str, Meta(max_length=500)] = ""


@get(PATH, of=StaffMembers, query=Looked, media=HTML)
async def people(request: Request[Any, Any, Any]) -> Response[Any]:
    """Everybody who works here."""
    words = read_query(request, Looked).q
    found = await ask(request, StaffMembers(q=words, limit=200))
    places = {one.id: one.name for one in await ask(request, Locations(closed_too=True))}
    context = {"found": found, "places": places, "q": words, "may_add": may(request, AddStaffMember)}
    return page(request, "staff", "staff", **context)  # type: ignore[no-any-return]


@get(f"{PATH}/new", of=AddStaffMember, media=HTML)
async def new(request: Request[Any, Any, Any]) -> Response[Any]:
    """An empty form."""
    require(request, AddStaffMember)
    return _new(request, {"role": "DOCTOR"})


def _new(request: Request[Any, Any, Any], filled: Any, tried: Attempt = FRESH) -> Response[Any]:
    made: Response[Any] = page(request, "staff", "staff_new", tried, filled=filled, roles=lists.STAFF_ROLES)
    return made


@post(f"{PATH}/new", of=AddStaffMember, media=HTML)
async def add(request: Request[Any, Any, Any]) -> Response[Any]:
    """Add somebody, and go on to their working hours."""
    filled = await read_form(request)
    form, errors = read(Person, filled)
    tried = wrong(errors) if form is None else await attempt(request, AddStaffMember(**_told(form)))
    return after(request, f"{PATH}/{tried.id}", "added") if tried.fine else _new(request, filled, tried)


@get(ONE, of=StaffMemberById, media=HTML)
async def member(request: Request[Any, Any, Any]) -> Response[Any]:
    """One person: record, weeks by location, time off."""
    return await _member(request)


async def _member(
    request: Request[Any, Any, Any], tried: Attempt = FRESH, filled: Any = None, form: str = ""
) -> Response[Any]:
    shown: StaffDetail = await ask(request, StaffMemberById(staff_id=id_in(request, "staff_id")))
    record = _record(shown)
    if tried.clash:
        tried = clash(filled, record)
    typed = record | (filled or {})
    made: Response[Any] = page(
        request, "staff", "member", tried,
        member=shown, filled=typed, form=form, roles=lists.STAFF_ROLES, absences=ABSENCES,
        places=await ask(request, Locations()),
        plans={plan.location: plan for plan in shown.plans},
        away=sorted(shown.time_off, key=lambda one: one.starts_at),
        may_manage=may(request, UpdateStaffMember), may_plan=may(request, AddTimeOff),
    )  # fmt: skip
    return made


def _record(shown: StaffDetail) -> dict[str, str]:
    record = {name: str(getattr(shown, name)) for name in FIELDS}
    return record | ({name: flat(shown.doctor)[name] for name in LICENCE} if shown.doctor else {})


@post(ONE, of=UpdateStaffMember, media=HTML)
async def change(request: Request[Any, Any, Any]) -> Response[Any]:
    """Save the record."""
    staff_id, filled = id_in(request, "staff_id"), await read_form(request)
    form, errors = read(Person, filled)
    if form is None:
        return await _member(request, wrong(errors), filled, "record")
    tried = await attempt(request, UpdateStaffMember(staff_id=staff_id, **_told(form)), form.version)
    return after(request, f"{PATH}/{staff_id}") if tried.fine else await _member(request, tried, filled, "record")


def _told(form: Person) -> dict[str, Any]:
    told: dict[str, Any] = {name: getattr(form, name) for name in FIELDS}
    if form.licence_number:
        told["doctor"] = DoctorDetails(
            **{name: getattr(form, name) for name in LICENCE},
            specialties=(form.specialty,) if form.specialty else (),
        )
    return told


@post(f"{ONE}/remove", of=RemoveStaffMember, media=HTML)
async def remove(request: Request[Any, Any, Any]) -> Response[Any]:
    """Somebody works here no longer: their history stays, new appointments are not made with them."""
    staff_id = id_in(request, "staff_id")
    tried = await attempt(request, RemoveStaffMember(staff_id=staff_id))
    return after(request, PATH, "removed") if tried.fine else await _member(request, tried)


@post(f"{ONE}/time-off", of=AddTimeOff, media=HTML)
async def take_off(request: Request[Any, Any, Any]) -> Response[Any]:
    """Somebody will be away."""
    staff_id, filled = id_in(request, "staff_id"), await read_form(request)
    form, errors = read(Absence, filled)
    if form is None:
        return await _member(request, wrong(errors), filled, "away")
    tried = await attempt(request, _absence(staff_id, form, ZoneInfo(look_of(request).zone)))
    return after(request, f"{PATH}/{staff_id}") if tried.fine else await _member(request, tried, filled, "away")


def _absence(staff_id: UUID, form: Absence, zone: ZoneInfo) -> AddTimeOff:
    """By the clinic's clocks; without a time the last day counts whole."""
    starts = datetime.combine(form.away_from, form.away_from_time or time(), zone)
    last = form.away_until if form.away_until_time else form.away_until + timedelta(days=1)
    ends = datetime.combine(last, form.away_until_time or time(), zone)
    return AddTimeOff(staff_id=staff_id, starts_at=starts, ends_at=ends, kind=form.away_kind, reason=form.away_reason)


@post(f"{ONE}/time-off/{{time_off_id:uuid}}/remove", of=RemoveTimeOff, media=HTML)
async def come_back(request: Request[Any, Any, Any]) -> Response[Any]:
    """The absence is off."""
    staff_id = id_in(request, "staff_id")
    tried = await attempt(request, RemoveTimeOff(staff_id=staff_id, time_off_id=id_in(request, "time_off_id")))
    return after(request, f"{PATH}/{staff_id}", "removed") if tried.fine else await _member(request, tried)


PAGES = [people, new, add, member, change, remove, take_off, come_back]
