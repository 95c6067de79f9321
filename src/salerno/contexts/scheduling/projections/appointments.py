"""Appointments as screens show them."""

from datetime import datetime, timedelta
from typing import Any, assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from salerno.contexts.scheduling.events import (
    AppointmentCancelled,
    AppointmentCompleted,
    AppointmentConfirmed,
    AppointmentCreated,
    AppointmentEvent,
    AppointmentReinstated,
    AppointmentUpdated,
    NoShowRecorded,
    PatientCheckedIn,
)
from salerno.kernel.documents import Documents
from salerno.kernel.messages import Recorded


class AppointmentView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: UUID
    patient: UUID
    practitioner: UUID
    visit_type: str
    starts_at: datetime
    minutes: int
    status: str
    buffer_before: int = 0
    buffer_after: int = 0
    room: UUID | None = None
    location: UUID | None = None
    reason: str = ""
    overbook_reason: str = ""
    time_note: str = ""
    cancel_reason: str = ""
    booked_at: datetime | None = None
    booked_by: UUID | None = None
    confirmed_at: datetime | None = None
    checked_in_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.minutes)


def view(before: AppointmentView | None, item: Recorded[AppointmentEvent]) -> AppointmentView | None:
    event, at = item.event, item.origin.happened_at
    if isinstance(event, AppointmentCreated):
        return AppointmentView(
            status="scheduled", booked_at=item.origin.recorded_at, booked_by=item.origin.actor, **_slot(event)
        )
    if before is None:
        return None
    match event:
        case AppointmentUpdated():
            return replace(before, **_slot(event))
        case AppointmentConfirmed():
            return replace(before, status="confirmed", confirmed_at=at)
        case PatientCheckedIn():
            return replace(before, status="checked-in", checked_in_at=at)
        case AppointmentCompleted():
            return replace(before, status="completed", ended_at=at)
        case AppointmentCancelled():
            return replace(before, status="cancelled", ended_at=at, cancel_reason=event.reason)
        case NoShowRecorded():
            return replace(before, status="no-show", ended_at=at)
        case AppointmentReinstated():
            return replace(before, status="scheduled", checked_in_at=None, ended_at=None, cancel_reason="")
        case _:
            assert_never(event)


def _slot(event: AppointmentCreated | AppointmentUpdated) -> dict[str, Any]:
    return {
        "id": event.appointment,
        "patient": event.patient,
        "practitioner": event.practitioner,
        "visit_type": event.visit_type,
        "starts_at": event.starts_at,
        "minutes": event.minutes,
        "buffer_before": event.buffer_before,
        "buffer_after": event.buffer_after,
        "room": event.room,
        "location": event.location,
        "reason": event.reason,
        "overbook_reason": event.overbook_reason,
        "time_note": event.time_note,
    }


def columns(doc: AppointmentView) -> dict[str, Any]:
    return {
        "practitioner": doc.practitioner,
        "starts_at": doc.starts_at,
        "ends_at": doc.ends_at,
        "status": doc.status,
        "visit_type": doc.visit_type,
        "room": doc.room,
        "location": doc.location,
        "checked_in_at": doc.checked_in_at,
    }


APPOINTMENTS: Documents[AppointmentView] = Documents(
    table="appointments", kind="scheduling.appointment", shape=AppointmentView, evolve=view, columns=columns
)
