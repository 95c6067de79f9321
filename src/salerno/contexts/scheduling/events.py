"""What happens to appointments, visit types and rooms. This file is the room's published language."""

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from salerno.kernel.messages import Event


class AppointmentCreated(Event, tag="scheduling.appointment_created.v1"):
    appointment: UUID
    patient: UUID
    practitioner: UUID
    visit_type: str
    starts_at: datetime
    minutes: int
    buffer_before: int = 0
    buffer_after: int = 0
    room: UUID | None = None
    location: UUID | None = None
    reason: str = ""
    overbook_reason: str = ""
    time_note: str = ""


class AppointmentUpdated(Event, tag="scheduling.appointment_updated.v1"):
    """Carries the whole appointment as it is now, and where and when it was before."""

    appointment: UUID
    patient: UUID
    practitioner: UUID
    visit_type: str
    starts_at: datetime
    minutes: int
    buffer_before: int = 0
    buffer_after: int = 0
    room: UUID | None = None
    location: UUID | None = None
    reason: str = ""
    overbook_reason: str = ""
    time_note: str = ""
    previous_practitioner: UUID
    previous_starts_at: datetime
    previous_minutes: int


class AppointmentConfirmed(Event, tag="scheduling.appointment_confirmed.v1"):
    appointment: UUID
    patient: UUID
    practitioner: UUID


class PatientCheckedIn(Event, tag="scheduling.patient_checked_in.v1"):
    appointment: UUID
    patient: UUID
    practitioner: UUID
    location: UUID | None = None


class AppointmentCompleted(Event, tag="scheduling.appointment_completed.v1"):
    appointment: UUID
    patient: UUID
    practitioner: UUID


class AppointmentCancelled(Event, tag="scheduling.appointment_cancelled.v1"):
    appointment: UUID
    patient: UUID
    practitioner: UUID
    starts_at: datetime
    minutes: int
    reason: str = ""


class NoShowRecorded(Event, tag="scheduling.no_show_recorded.v1"):
    appointment: UUID
    patient: UUID
    practitioner: UUID
    starts_at: datetime


class AppointmentReinstated(Event, tag="scheduling.appointment_reinstated.v1"):
    """A cancellation, a no-show or a check-in was a mistake: expected again, at the same time."""

    appointment: UUID
    patient: UUID
    practitioner: UUID
    starts_at: datetime
    minutes: int
    buffer_before: int = 0
    buffer_after: int = 0
    room: UUID | None = None


class VisitTypeDefined(Event, tag="scheduling.visit_type_defined.v1"):
    visit_type: UUID
    code: str
    name_it: str
    name_en: str
    kind: str
    minutes: int
    buffer_before: int = 0
    buffer_after: int = 0
    colour: int = 0


class VisitTypeRetired(Event, tag="scheduling.visit_type_retired.v1"):
    visit_type: UUID
    code: str


class RoomAdded(Event, tag="scheduling.room_added.v1"):
    room: UUID
    name: str
    kind: str
    location: UUID | None = None


class RoomChanged(Event, tag="scheduling.room_changed.v1"):
    room: UUID
    name: str
    kind: str
    location: UUID | None = None


class RoomRetired(Event, tag="scheduling.room_retired.v1"):
    room: UUID


AppointmentEvent: TypeAlias = (
    AppointmentCreated
    | AppointmentUpdated
    | AppointmentConfirmed
    | PatientCheckedIn
    | AppointmentCompleted
    | AppointmentCancelled
    | NoShowRecorded
    | AppointmentReinstated
)
VisitTypeEvent: TypeAlias = VisitTypeDefined | VisitTypeRetired
RoomEvent: TypeAlias = RoomAdded | RoomChanged | RoomRetired
SchedulingEvent: TypeAlias = AppointmentEvent | VisitTypeEvent | RoomEvent

EVENTS = (
    AppointmentCreated,
    AppointmentUpdated,
    AppointmentConfirmed,
    PatientCheckedIn,
    AppointmentCompleted,
    AppointmentCancelled,
    NoShowRecorded,
    AppointmentReinstated,
    VisitTypeDefined,
    VisitTypeRetired,
    RoomAdded,
    RoomChanged,
    RoomRetired,
)
