"""Appointments one by one and in lists."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.scheduling.errors import NoSuchAppointment
from salerno.contexts.scheduling.projections import APPOINTMENTS, SQL
from salerno.contexts.scheduling.queries.shown import AppointmentItem, practice_of, shown, subjects_of
from salerno.contexts.scheduling.rules.times import day_bounds, instant, local_day, midnight
from salerno.kernel.errors import Invalid
from salerno.kernel.messages import Caller, Disclosure, Page, Query
from salerno.kernel.transactions import Tx
from salerno.kernel.wards import only_of, reads_as_patient

StatusName: TypeAlias = Literal["scheduled", "confirmed", "checked-in", "completed", "cancelled", "no-show"]
Limit: TypeAlias = Annotated[int, Meta(ge=1, le=500)]
Offset: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000)]
Day: TypeAlias = date
FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class AppointmentById(Query):
    appointment_id: UUID


class Appointments(Query):
    """By local day (`date`) or between two moments, in order of time."""

    date: Day | None = None
    from_: datetime | None = None
    to: datetime | None = None
    doctor_id: UUID | None = None
    patient_id: UUID | None = None
    status: StatusName | None = None
    limit: Limit = 50
    offset: Offset = 0


class AppointmentsOfPatient(Query):
    """Every appointment of a patient, or all as they stood at a moment."""

    patient_id: UUID
    as_of: datetime | None = None
    by_source: bool = False


class WaitingRoom(Query):
    """Who has checked in today and is waiting, longest first."""

    location_id: UUID | None = None
    doctor_id: UUID | None = None


class Attendance(Query):
    """How appointments of these local days ended, by practitioner. No patient is named."""

    first: date
    last: date


class AttendanceOf(Struct, frozen=True, kw_only=True):
    doctor_id: UUID
    counts: dict[str, int]
    no_show_rate: float


async def appointment_by_id(tx: Tx, query: AppointmentById, caller: Caller) -> Disclosure[AppointmentItem]:
    held = await APPOINTMENTS.get(tx, query.appointment_id)
    if held is None:
        raise NoSuchAppointment()
    item = (await shown(tx, [held]))[0]
    return Disclosure(value=item, subjects=[item.patient_id])


async def appointments(tx: Tx, query: Appointments, caller: Caller) -> Disclosure[Page[AppointmentItem]]:
    wanted = await _wanted(tx, query)
    rows = await tx.fetch(SQL["appointments_between"], tx.organisation, *wanted, query.limit, query.offset)
    total = rows[0]["total"] if rows else 0
    if not rows and query.offset:
        total = await tx.fetchval(SQL["count_appointments_between"], tx.organisation, *wanted)
    items = await shown(tx, await APPOINTMENTS.open(tx, rows))
    page = Page(items=items, total=total, limit=query.limit, offset=query.offset)
    return Disclosure(value=page, subjects=subjects_of(items))


async def _wanted(tx: Tx, query: Appointments) -> tuple[object, ...]:
    starts_at, ends_at = await _span(tx, query)
    charts = None
    if query.patient_id:
        charts = await tx.fetchval(SQL["charts_behind"], tx.organisation, query.patient_id) or [query.patient_id]
    return (
        starts_at,
        ends_at,
        [query.doctor_id] if query.doctor_id else None,
        charts,
        [query.status] if query.status else None,
        list(tx.hidden),
        only_of(tx),
    )


async def _span(tx: Tx, query: Appointments) -> tuple[datetime, datetime]:
    zone = (await practice_of(tx)).zone
    if query.date is not None:
        _in_range(query.date, "date")
        return day_bounds(query.date, query.date, zone)
    starts_at = instant(query.from_, zone, "from")[0] if query.from_ else FIRST
    ends_at = instant(query.to, zone, "to")[0] if query.to else LAST
    if ends_at <= starts_at:
        raise Invalid.field("to", "not-after-start", "The end must lie after the beginning.")
    return starts_at, ends_at


def _in_range(day: date, field: str) -> None:
    if not FIRST.year <= day.year < LAST.year:
        raise Invalid.field(field, "out-of-range", "This day is out of range.")


async def appointments_of_patient(
    tx: Tx, query: AppointmentsOfPatient, caller: Caller
) -> Disclosure[Sequence[AppointmentItem]]:
    charts = await tx.fetchval(SQL["charts_behind"], tx.organisation, query.patient_id) or [query.patient_id]
    if query.as_of is None:
        held = await APPOINTMENTS.of_subject(tx, charts)
    else:
        moment, _ = instant(query.as_of, (await practice_of(tx)).zone, "as_of")
        held = await APPOINTMENTS.as_of(tx, charts, moment, by_source=query.by_source)
    items = sorted(await shown(tx, held), key=lambda item: (item.appointment_datetime, item.id), reverse=True)
    own = reads_as_patient(caller, "scheduling.read")
    return Disclosure(value=items, subjects=[query.patient_id] if own else [query.patient_id, *subjects_of(items)])


async def waiting_room(tx: Tx, query: WaitingRoom, caller: Caller) -> Disclosure[Sequence[AppointmentItem]]:
    zone = (await practice_of(tx)).zone
    since = midnight(local_day(tx.now, zone), zone)
    narrowed = (query.location_id, query.doctor_id, list(tx.hidden), only_of(tx))
    rows = await tx.fetch(SQL["waiting"], tx.organisation, since, *narrowed)
    items = await shown(tx, await APPOINTMENTS.open(tx, rows))
    return Disclosure(value=items, subjects=subjects_of(items))


async def attendance(tx: Tx, query: Attendance, caller: Caller) -> Sequence[AttendanceOf]:
    _in_range(query.first, "first")
    _in_range(query.last, "last")
    starts_at, ends_at = day_bounds(query.first, query.last, (await practice_of(tx)).zone)
    counts: dict[UUID, dict[str, int]] = {}
    for row in await tx.fetch(SQL["attendance"], tx.organisation, starts_at, ends_at):
        counts.setdefault(UUID(bytes=row["practitioner"].bytes), {})[row["status"]] = row["visits"]
    return [AttendanceOf(doctor_id=id, counts=each, no_show_rate=_rate(each)) for id, each in counts.items()]


def _rate(counts: dict[str, int]) -> float:
    """Of the appointments that came due, the part at which nobody appeared."""
    missed = counts.get("no-show", 0)
    due = missed + counts.get("completed", 0) + counts.get("checked-in", 0)
    return missed / due if due else 0.0
