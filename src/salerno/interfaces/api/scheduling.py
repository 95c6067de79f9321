"""Appointments, free times, calendars, visit types and rooms over REST (SCH-03 … SCH-10, SCH-12, SCH-16)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, field
from msgspec.structs import asdict

from salerno.contexts.scheduling.commands import (
    CancelAppointment,
    CheckIn,
    Code,
    CompleteAppointment,
    ConfirmAppointment,
    Minutes,
    Reason,
    RecordNoShow,
    ReinstateAppointment,
    RescheduleAppointment,
    ScheduleAppointment,
    UpdateAppointment,
)
from salerno.contexts.scheduling.queries import (
    AppointmentById,
    AppointmentItem,
    Appointments,
    AppointmentsOfPatient,
    Attendance,
    AttendanceOf,
    Calendar,
    DayCalendar,
    FreeSlot,
    FreeSlots,
    WaitingRoom,
    WeekCalendar,
)
from salerno.interfaces.http import (
    Body,
    Request,
    Response,
    answer,
    ask,
    delete,
    get,
    invalid,
    no_content,
    post,
    put,
    read_body,
    read_query,
    submit,
    submit_and_ask,
)
from salerno.interfaces.http.problems import field_error
from salerno.kernel.messages import Command, Receipt

TAGS = ("appointments",)
StatusName = Literal["scheduled", "confirmed", "checked-in", "completed", "cancelled", "no-show"]
Day = date
ID = "{appointment_id:uuid}"
EXAMPLE = {
    "patient_id": "0198c7a5-5d1e-7a52-9e0c-3a1f5b9f0c11",
    "doctor_id": "0198c7a5-5d1e-7a52-9e0c-3a1f5b9f0c22",
    "appointment_datetime": "2026-03-02T09:00:00",
    "duration_minutes": 30,
    "visit_type": "consultation",
    "reason": "Persistent cough",
}


class AppointmentsWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which appointments: of a local day, or between two moments."""

    date: Day | None = None
    from_: datetime | None = field(default=None, name="from")
    to: datetime | None = None
    doctor_id: UUID | None = None
    patient_id: UUID | None = None
    status: StatusName | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 50
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class AppointmentList(Struct, frozen=True, kw_only=True):
    appointments: Sequence[AppointmentItem]
    total: int
    limit: int
    offset: int


class AppointmentChange(Body):
    """What to change; what is left out stays. A null room or location takes it away."""

    appointment_datetime: datetime | None = None
    duration_minutes: Minutes | None = None
    doctor_id: UUID | None = None
    visit_type: Code | None = None
    reason: Reason | None = None
    room_id: UUID | None | UnsetType = UNSET
    location_id: UUID | None | UnsetType = UNSET
    overbook_reason: Reason = ""


class Move(Body):
    appointment_datetime: datetime
    duration_minutes: Minutes | None = None
    doctor_id: UUID | None = None
    room_id: UUID | None | UnsetType = UNSET
    location_id: UUID | None | UnsetType = UNSET
    overbook_reason: Reason = ""


class Cancellation(Body):
    reason: Reason = ""


class FreeSlotsWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    doctor_id: UUID | None = None
    specialty: Annotated[str, Meta(max_length=120)] = ""
    visit_type: Code = "consultation"
    duration_minutes: Minutes | None = None
    from_: datetime | None = field(default=None, name="from")
    to: datetime | None = None
    location_id: UUID | None = None
    room_id: UUID | None = None
    patient_id: UUID | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 20


class FreeSlotList(Struct, frozen=True, kw_only=True):
    slots: Sequence[FreeSlot]


class WaitingWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    location_id: UUID | None = None
    doctor_id: UUID | None = None


class WaitingList(Struct, frozen=True, kw_only=True):
    waiting: Sequence[AppointmentItem]


class CalendarWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Local days; without `last` one day. `doctor_ids` are joined by commas."""

    first: date
    last: date | None = None
    doctor_ids: Annotated[str, Meta(max_length=8000)] = ""


class DaysWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    first: date
    last: date


class AttendanceList(Struct, frozen=True, kw_only=True):
    attendance: Sequence[AttendanceOf]


class HistoryWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    as_of: datetime | None = None
    by_source: bool = False


class PatientAppointments(Struct, frozen=True, kw_only=True):
    appointments: Sequence[AppointmentItem]
    total: int


def _id(request: Request[Any, Any, Any]) -> UUID:
    return UUID(str(request.path_params["appointment_id"]))


async def _shown(request: Request[Any, Any, Any], receipt: Receipt) -> Response[Any]:
    item = await ask(request, AppointmentById(appointment_id=receipt.aggregate_id))
    return answer(request, item, etag=item.version)


@get("/appointments", of=Appointments, query=AppointmentsWanted, gives=AppointmentList, tags=TAGS)
async def list_appointments(request: Request[Any, Any, Any]) -> Response[Any]:
    """Appointments in order of time: of a local day (`date`), or from one moment to another."""
    wanted = read_query(request, AppointmentsWanted)
    page = await ask(request, Appointments(**asdict(wanted)))
    listed = AppointmentList(appointments=page.items, total=page.total, limit=page.limit, offset=page.offset)
    return answer(request, listed)


@post(
    "/appointments", of=ScheduleAppointment, takes=ScheduleAppointment, gives=AppointmentItem, status=201,
    example=EXAMPLE, tags=TAGS,
)  # fmt: skip
async def create(request: Request[Any, Any, Any]) -> Response[Any]:
    """Book an appointment. A taken time answers 409 with every conflict and the nearest free times."""
    wish = await read_body(request, ScheduleAppointment)
    receipt, item = await submit_and_ask(
        request, wish, lambda receipt: AppointmentById(appointment_id=receipt.aggregate_id)
    )
    location = f"/api/v1/appointments/{receipt.aggregate_id}"
    return answer(request, item, 201, etag=item.version, location=location)


@get(f"/appointments/{ID}", of=AppointmentById, gives=AppointmentItem, tags=TAGS)
async def show(request: Request[Any, Any, Any]) -> Response[Any]:
    """One appointment."""
    item = await ask(request, AppointmentById(appointment_id=_id(request)))
    return answer(request, item, etag=item.version)


@put(f"/appointments/{ID}", of=UpdateAppointment, takes=AppointmentChange, gives=AppointmentItem, tags=TAGS)
async def change(request: Request[Any, Any, Any]) -> Response[Any]:
    """Change an appointment: what it is for, its time, practitioner, room or length."""
    wanted = await read_body(request, AppointmentChange)
    return await _shown(
        request, await submit(request, UpdateAppointment(appointment_id=_id(request), **asdict(wanted)))
    )


@delete(f"/appointments/{ID}", of=CancelAppointment, status=204, tags=TAGS)
async def remove(request: Request[Any, Any, Any]) -> Response[Any]:
    """Cancel an appointment without a reason. It stays, with the status cancelled."""
    await submit(request, CancelAppointment(appointment_id=_id(request)))
    return no_content()


@post(f"/appointments/{ID}/cancel", of=CancelAppointment, takes=Cancellation, gives=AppointmentItem, tags=TAGS)
async def cancel(request: Request[Any, Any, Any]) -> Response[Any]:
    """Cancel an appointment, with or without a reason."""
    given = await read_body(request, Cancellation) if await request.body() else Cancellation()
    return await _shown(
        request, await submit(request, CancelAppointment(appointment_id=_id(request), reason=given.reason))
    )


@post(f"/appointments/{ID}/reschedule", of=RescheduleAppointment, takes=Move, gives=AppointmentItem, tags=TAGS)
async def reschedule(request: Request[Any, Any, Any]) -> Response[Any]:
    """Move an appointment to another time, practitioner, room or length."""
    wanted = await read_body(request, Move)
    command = RescheduleAppointment(appointment_id=_id(request), **asdict(wanted))
    return await _shown(request, await submit(request, command))


def _step(verb: str, command: Any, words: str) -> Any:
    async def step(request: Request[Any, Any, Any]) -> Response[Any]:
        wish: Command = command(appointment_id=_id(request))
        return await _shown(request, await submit(request, wish))

    step.__doc__ = words
    return post(f"/appointments/{ID}/{verb}", of=command, gives=AppointmentItem, tags=TAGS)(step)


STEPS = [
    _step("confirm", ConfirmAppointment, "The patient has confirmed."),
    _step("check-in", CheckIn, "The patient has arrived."),
    _step("complete", CompleteAppointment, "The visit is over."),
    _step("no-show", RecordNoShow, "The patient did not come."),
    _step("reinstate", ReinstateAppointment, "Take back a cancellation, a no-show or a check-in."),
]


@get("/free-slots", of=FreeSlots, query=FreeSlotsWanted, gives=FreeSlotList, tags=TAGS)
async def free_slots(request: Request[Any, Any, Any]) -> Response[Any]:
    """The next free times of a practitioner, a specialty or everybody."""
    wanted = read_query(request, FreeSlotsWanted)
    return answer(request, FreeSlotList(slots=await ask(request, FreeSlots(**asdict(wanted)))))


@get("/waiting-room", of=WaitingRoom, query=WaitingWanted, gives=WaitingList, tags=TAGS)
async def waiting_room(request: Request[Any, Any, Any]) -> Response[Any]:
    """Who has checked in today and waits, longest first."""
    wanted = read_query(request, WaitingWanted)
    return answer(request, WaitingList(waiting=await ask(request, WaitingRoom(**asdict(wanted)))))


@get("/schedule", of=DayCalendar, query=CalendarWanted, gives=Calendar, tags=TAGS)
async def schedule(request: Request[Any, Any, Any]) -> Response[Any]:
    """Practitioners side by side: when they work and who is expected, for a day or up to six weeks."""
    wanted = read_query(request, CalendarWanted)
    ids = _ids(wanted.doctor_ids)
    if wanted.last is None:
        return answer(request, await ask(request, DayCalendar(day=wanted.first, doctor_ids=ids)))
    return answer(request, await ask(request, WeekCalendar(first=wanted.first, last=wanted.last, doctor_ids=ids)))


def _ids(text: str) -> tuple[UUID, ...]:
    try:
        return tuple(UUID(part.strip()) for part in text.split(",") if part.strip())[:200]
    except ValueError:
        raise invalid([field_error("doctor_ids", "malformed", "Expected ids joined by commas")]) from None


@get("/attendance", of=Attendance, query=DaysWanted, gives=AttendanceList, tags=TAGS)
async def attendance(request: Request[Any, Any, Any]) -> Response[Any]:
    """How the appointments of these days ended, by practitioner, with the part of no-shows."""
    wanted = read_query(request, DaysWanted)
    return answer(request, AttendanceList(attendance=await ask(request, Attendance(**asdict(wanted)))))


@get("/patients/{patient_id:uuid}/appointments", of=AppointmentsOfPatient, query=HistoryWanted,
     gives=PatientAppointments, tags=TAGS)  # fmt: skip
async def of_patient(request: Request[Any, Any, Any]) -> Response[Any]:
    """A patient's appointments, newest first; with `as_of` as they stood at that moment."""
    wanted = read_query(request, HistoryWanted)
    patient = UUID(str(request.path_params["patient_id"]))
    items = await ask(request, AppointmentsOfPatient(patient_id=patient, **asdict(wanted)))
    return answer(request, PatientAppointments(appointments=items, total=len(items)))


ROUTES = [
    list_appointments,
    create,
    show,
    change,
    remove,
    cancel,
    reschedule,
    *STEPS,
    free_slots,
    waiting_room,
    schedule,
    attendance,
    of_patient,
]
