"""Appointments as they leave the room, with the names of those they are about."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from salerno.contexts.scheduling.projections import PEOPLE, SQL, AppointmentView, PersonName
from salerno.contexts.scheduling.rules.availability import Practice
from salerno.kernel.database import Row
from salerno.kernel.documents import Held
from salerno.kernel.transactions import Tx

NOBODY = PersonName(id=UUID(int=0), name="")


class AppointmentItem(Struct, frozen=True, kw_only=True):
    """`time_note` is "first-of-two" where a local time was ambiguous and its first occurrence was taken."""

    id: UUID
    patient_id: UUID
    patient_name: str
    patient_birth_date: date | None = None
    doctor_id: UUID
    doctor_name: str
    appointment_datetime: datetime
    ends_at: datetime
    duration_minutes: int
    visit_type: str
    status: str
    reason: str = ""
    room_id: UUID | None = None
    location_id: UUID | None = None
    overbook_reason: str = ""
    cancel_reason: str = ""
    time_note: str = ""
    buffer_before: int = 0
    buffer_after: int = 0
    checked_in_at: datetime | None = None
    booked_at: datetime | None = None
    version: int = 0


async def names_of(tx: Tx, ids: Iterable[UUID]) -> dict[UUID, PersonName]:
    rows = await tx.fetch(SQL["names"], tx.organisation, list(set(ids)))
    return {named.id: named for named in await tx.open_docs(PEOPLE, rows, PersonName)}


async def shown(tx: Tx, held: Sequence[Held[AppointmentView]]) -> list[AppointmentItem]:
    names = await names_of(tx, (id for each in held for id in (each.doc.patient, each.doc.practitioner)))
    return [item_of(each, names) for each in held]


def item_of(held: Held[AppointmentView], names: dict[UUID, PersonName]) -> AppointmentItem:
    doc = held.doc
    patient, practitioner = names.get(doc.patient, NOBODY), names.get(doc.practitioner, NOBODY)
    return AppointmentItem(
        id=doc.id,
        patient_id=doc.patient,
        patient_name=patient.name,
        patient_birth_date=patient.birth_date,
        doctor_id=doc.practitioner,
        doctor_name=practitioner.name,
        appointment_datetime=doc.starts_at,
        ends_at=doc.ends_at,
        duration_minutes=doc.minutes,
        visit_type=doc.visit_type,
        status=doc.status,
        reason=doc.reason,
        room_id=doc.room,
        location_id=doc.location,
        overbook_reason=doc.overbook_reason,
        cancel_reason=doc.cancel_reason,
        time_note=doc.time_note,
        buffer_before=doc.buffer_before,
        buffer_after=doc.buffer_after,
        checked_in_at=doc.checked_in_at,
        booked_at=doc.booked_at,
        version=held.version,
    )


def subjects_of(items: Iterable[AppointmentItem]) -> list[UUID]:
    return list(dict.fromkeys(item.patient_id for item in items))


async def practice_of(tx: Tx) -> Practice:
    row = await tx.fetchrow(SQL["practice"], tx.organisation)
    return practice_from(row) if row else Practice()


def practice_from(row: Row) -> Practice:
    return Practice(row["timezone"], row["country"], row["online"], row["days_ahead"], row["opens"], row["closes"])
