"""The calendar: a day of practitioners side by side, a week of one, the same as a list, and booking by hand."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct, field

from salerno.contexts.patients.queries import FindPatients, PatientNames
from salerno.contexts.scheduling.commands import (
    CancelAppointment,
    CheckIn,
    CompleteAppointment,
    ConfirmAppointment,
    Minutes,
    Reason,
    RecordNoShow,
    ReinstateAppointment,
    RescheduleAppointment,
    ScheduleAppointment,
)
from salerno.contexts.scheduling.errors import OutsideWorkingHours, SlotTaken
from salerno.contexts.scheduling.queries import (
    AppointmentById,
    AppointmentItem,
    Calendar,
    DayCalendar,
    Practitioners,
    Rooms,
    VisitTypeItem,
    VisitTypes,
    WaitingRoom,
    WeekCalendar,
)
from salerno.interfaces.http import (
    Body,
    FieldError,
    Filled,
    Request,
    Response,
    answer,
    ask,
    from_form,
    get,
    post,
    read_body,
    read_form,
    read_query,
    submit,
)
from salerno.interfaces.http.problems import field_error
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.pages import go_to, render
from salerno.interfaces.web.scheduling_words import (
    Offer,
    closed_of,
    conflicts_told,
    event_of,
    offers_of,
    refusal_told,
    taken_of,
    type_name,
)
from salerno.kernel.errors import Conflict, Invalid

LocalTime = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
View = Literal["day", "week", "list"]
ID = "{appointment_id:uuid}"
HTML = "text/html"


class Shown(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of the calendar: a day, its week or its list; of everybody or of one practitioner."""

    day: date | None = None
    view: View = "day"
    who: UUID | None = None


class Span(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From one local day to before another."""

    from_: date = field(name="from")
    to: date
    who: UUID | None = None


class Sought(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    q: Annotated[str, Meta(max_length=120)] = ""


class Begun(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the new appointment was begun: a time on the calendar, a practitioner, a patient."""

    at: datetime | None = None
    who: UUID | None = None
    patient: UUID | None = None


class Drop(Body):
    """Where an appointment was dropped: local time, length, practitioner."""

    starts_at: datetime
    minutes: Minutes
    practitioner: UUID | None = None


class Wished(Body):
    """The form of a new appointment. `pick` is a free time that was offered."""

    patient_id: UUID
    doctor_id: UUID
    day: date
    time: LocalTime
    minutes: Minutes | None = None
    visit_type: str = "consultation"
    room_id: UUID | None = None
    reason: Reason = ""
    overbook_reason: Reason = ""
    pick: datetime | None = None


@get("/calendar", of=DayCalendar, query=Shown, media=HTML)
async def calendar(request: Request[Any, Any, Any]) -> Response[Any]:
    """The calendar of a day or a week."""
    shown = read_query(request, Shown)
    day = shown.day or _today(request)
    found: Calendar = await ask(request, DayCalendar(day=day))
    types = await ask(request, VisitTypes())
    waiting = await ask(request, WaitingRoom())
    who = shown.who or (found.practitioners[0].id if shown.view == "week" and found.practitioners else None)
    listed = [item for item in found.appointments if who is None or item.doctor_id == who]
    return render(
        request,
        "calendar.html",
        view=shown.view,
        day=day,
        who=who,
        calendar=found,
        listed=listed,
        types={each.code: each for each in types},
        waiting=waiting,
        step=timedelta(days=7 if shown.view == "week" else 1),
        today=_today(request),
        resources=[{"id": str(each.id), "title": each.name} for each in found.practitioners if who in (None, each.id)],
        zone=found.timezone,
        offset=_now(request).isoformat()[-6:],
    )


def _now(request: Request[Any, Any, Any]) -> datetime:
    """By the clocks of the clinic."""
    now: datetime = request.app.state["setup"].clock.now()
    return now.astimezone(ZoneInfo(look_of(request).zone))


def _today(request: Request[Any, Any, Any]) -> date:
    return _now(request).date()


@get("/calendar/events", of=WeekCalendar, query=Span)
async def events(request: Request[Any, Any, Any]) -> Response[Any]:
    """What stands on the calendar between two days, by the clocks of the clinic."""
    span = read_query(request, Span)
    query = WeekCalendar(
        first=span.from_, last=max(span.from_, span.to - timedelta(days=1)), doctor_ids=(span.who,) if span.who else ()
    )
    found: Calendar = await ask(request, query)
    types: dict[str, VisitTypeItem] = {each.code: each for each in await ask(request, VisitTypes())}
    language, zone = look_of(request).language, ZoneInfo(found.timezone)
    lines = [event_of(item, types.get(item.visit_type), zone, language) for item in found.appointments]
    return answer(request, [*closed_of(found, zone), *taken_of(found, zone, language), *lines])


@post(f"/calendar/appointments/{ID}/move", of=RescheduleAppointment, takes=Drop)
async def move(request: Request[Any, Any, Any]) -> Response[Any]:
    """An appointment was dropped somewhere else, or stretched. A refusal says what is in the way."""
    drop = await read_body(request, Drop)
    command = RescheduleAppointment(
        appointment_id=_id(request),
        appointment_datetime=drop.starts_at,
        duration_minutes=drop.minutes,
        doctor_id=drop.practitioner,
    )
    try:
        receipt = await submit(request, command)
    except (SlotTaken, OutsideWorkingHours) as refusal:
        refusal.details["conflicts"] = await conflicts_told(request, refusal)
        refusal.details["sentence"] = refusal_told(request, refusal)
        refusal.details["alternatives"] = [offer.as_choice() for offer in offers_of(request, refusal)]
        raise
    return answer(request, {"version": receipt.version})


def _id(request: Request[Any, Any, Any]) -> UUID:
    return UUID(str(request.path_params["appointment_id"]))


@get(f"/calendar/appointments/{ID}", of=AppointmentById, media=HTML)
async def appointment(request: Request[Any, Any, Any]) -> Response[Any]:
    """One appointment with what can be done about it."""
    return await _panel(request, _id(request))


async def _panel(
    request: Request[Any, Any, Any],
    id: UUID,
    *,
    refused: str = "",
    conflicts: Sequence[dict[str, str]] = (),
    offers: Sequence[Offer] = (),
    errors: Sequence[FieldError] = (),
    status: int = 200,
) -> Response[Any]:
    item: AppointmentItem = await ask(request, AppointmentById(appointment_id=id))
    types = {each.code: each for each in await ask(request, VisitTypes())}
    rooms = {each.id: each.name for each in await ask(request, Rooms())}
    day: Calendar = await ask(request, DayCalendar(day=item.appointment_datetime.date(), doctor_ids=(item.doctor_id,)))
    return render(
        request, "calendar_appointment.html", status=status, item=item, type=types.get(item.visit_type),
        room=rooms.get(item.room_id, "") if item.room_id else "", refused=refused, conflicts=conflicts, offers=offers,
        errors=list(errors), choices=await _bookable(request), zone=day.timezone,
    )  # fmt: skip


class Moving(Body):
    """The form that moves an appointment without dragging it."""

    day: date
    time: LocalTime
    minutes: Minutes
    doctor_id: UUID


@post(f"/calendar/appointments/{ID}/reschedule", of=RescheduleAppointment, takes=Moving, media=HTML)
async def reschedule(request: Request[Any, Any, Any]) -> Response[Any]:
    """Move an appointment by day and time, for those who do not drag."""
    wished, errors = from_form(Moving, await read_form(request))
    if wished is None:
        return await _panel(request, _id(request), errors=errors, status=422)
    command = RescheduleAppointment(
        appointment_id=_id(request),
        appointment_datetime=_moment(wished.day, wished.time),
        duration_minutes=wished.minutes,
        doctor_id=wished.doctor_id,
    )
    return await _after(request, command)


STEPS: dict[str, Any] = {
    "confirm": ConfirmAppointment,
    "check-in": CheckIn,
    "complete": CompleteAppointment,
    "no-show": RecordNoShow,
    "reinstate": ReinstateAppointment,
}


def _step(verb: str, command: Any) -> Any:
    async def step(request: Request[Any, Any, Any]) -> Response[Any]:
        await read_form(request)
        return await _after(request, command(appointment_id=_id(request)))

    step.__doc__ = f"Press {verb} on an appointment."
    return post(f"/calendar/appointments/{ID}/{verb}", of=command, media=HTML)(step)


@post(f"/calendar/appointments/{ID}/cancel", of=CancelAppointment, media=HTML)
async def cancel(request: Request[Any, Any, Any]) -> Response[Any]:
    """Cancel an appointment, with a reason where one was given."""
    reason = (await read_form(request)).get("reason", "").strip()[:2000]
    return await _after(request, CancelAppointment(appointment_id=_id(request), reason=reason))


async def _after(request: Request[Any, Any, Any], command: Any) -> Response[Any]:
    """The appointment as it is now; what was refused is said where the button was."""
    id = command.appointment_id
    try:
        await submit(request, command)
    except Invalid as invalid:
        return await _panel(request, id, errors=[_form_error(each) for each in invalid.errors], status=422)
    except Conflict as conflict:
        told = await conflicts_told(request, conflict)
        return await _panel(
            request, id, refused=refusal_told(request, conflict), conflicts=told,
            offers=offers_of(request, conflict), status=409,
        )  # fmt: skip
    if request.headers.get("hx-request") != "true":
        return go_to(request, f"/calendar/appointments/{id}")
    return await _panel(request, id)


@get("/calendar/patients", of=FindPatients, query=Sought, media=HTML)
async def patients(request: Request[Any, Any, Any]) -> Response[Any]:
    """Patients for the field of the booking form, found as they are typed."""
    sought = read_query(request, Sought)
    found = await ask(request, FindPatients(q=sought.q, limit=8)) if sought.q.strip() else None
    return render(request, "parts/calendar_patients.html", found=found.results if found else ())


@get("/calendar/new", of=ScheduleAppointment, query=Begun, media=HTML)
async def begin(request: Request[Any, Any, Any]) -> Response[Any]:
    """The form of a new appointment, begun at a time of the calendar or empty."""
    begun = read_query(request, Begun)
    filled = Filled()
    at = begun.at or datetime.combine(_today(request), time(9))
    filled.take("day", at.date().isoformat())
    filled.take("time", at.strftime("%H:%M"))
    for name, value in (("doctor_id", begun.who), ("patient_id", begun.patient)):
        if value:
            filled.take(name, str(value))
    return await _form(request, filled)


async def _form(
    request: Request[Any, Any, Any],
    filled: Filled,
    *,
    errors: Sequence[FieldError] = (),
    refused: str = "",
    conflicts: Sequence[dict[str, str]] = (),
    offers: Sequence[Offer] = (),
    closed: bool = False,
    status: int = 200,
) -> Response[Any]:
    rooms = await ask(request, Rooms())
    language = look_of(request).language
    kinds = [(each.code, type_name(each, each.code, language)) for each in await ask(request, VisitTypes())]
    await _name_patient(request, filled)
    return render(
        request, "calendar_new.html", status=status, filled=filled, errors=list(errors), refused=refused,
        conflicts=conflicts, offers=offers, closed=closed, kinds=kinds, rooms=rooms,
        choices=await _bookable(request),
        places=[(str(each.id), each.name) for each in rooms],
    )  # fmt: skip


async def _bookable(request: Request[Any, Any, Any]) -> list[tuple[str, str]]:
    return [(str(each.id), each.name) for each in await ask(request, Practitioners())]


async def _name_patient(request: Request[Any, Any, Any], filled: Filled) -> None:
    """The field shows whom the id means, also after a mistake elsewhere in the form."""
    try:
        patient = UUID(filled.get("patient_id", ""))
    except ValueError:
        return
    for named in await ask(request, PatientNames(patient_ids=(patient,))):
        filled["patient_id-shown"] = named.full_name


@post("/calendar/new", of=ScheduleAppointment, takes=Wished, media=HTML)
async def book(request: Request[Any, Any, Any]) -> Response[Any]:
    """Book what the form says; a taken time is answered with what is in the way and the nearest free ones."""
    filled = await read_form(request)
    wished, errors = from_form(Wished, filled)
    if wished is None:
        return await _form(request, filled, errors=errors, status=422)
    try:
        await submit(request, _command(wished))
    except Invalid as invalid:
        return await _form(request, filled, errors=[_form_error(each) for each in invalid.errors], status=422)
    except (SlotTaken, OutsideWorkingHours) as refusal:
        return await _form(
            request, filled, refused=refusal_told(request, refusal), conflicts=await conflicts_told(request, refusal),
            offers=offers_of(request, refusal), closed=isinstance(refusal, OutsideWorkingHours), status=409,
        )  # fmt: skip
    day = wished.pick.date() if wished.pick else wished.day
    return go_to(request, f"/calendar?day={day.isoformat()}")


def _command(wished: Wished) -> ScheduleAppointment:
    return ScheduleAppointment(
        patient_id=wished.patient_id,
        doctor_id=wished.doctor_id,
        appointment_datetime=wished.pick or _moment(wished.day, wished.time),
        duration_minutes=wished.minutes,
        visit_type=wished.visit_type,
        room_id=wished.room_id,
        reason=wished.reason,
        overbook_reason=wished.overbook_reason,
    )


def _moment(day: date, clock: str) -> datetime:
    """A time by the clocks of the clinic: the room knows where it is."""
    return datetime.combine(day, time.fromisoformat(clock))


def _form_error(error: dict[str, str]) -> FieldError:
    """The form asks for day and time where the command has one moment."""
    path = "time" if error["path"] == "appointment_datetime" else error["path"]
    return field_error(path, error["code"], error["message"])


STEPPING = [_step(verb, command) for verb, command in STEPS.items()]
PAGES = [calendar, events, move, appointment, reschedule, *STEPPING, cancel, patients, begin, book]
