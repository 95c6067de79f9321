"""What may be asked about appointments, visit types and rooms."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from salerno.kernel.messages import Command

Minutes: TypeAlias = Annotated[int, Meta(ge=1, le=1440)]
Buffer: TypeAlias = Annotated[int, Meta(ge=0, le=240)]
Reason: TypeAlias = Annotated[str, Meta(max_length=2000)]
Code: TypeAlias = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9 _-]*$")]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=120)]
VisitKind: TypeAlias = Literal["consultation", "follow-up", "emergency", "procedure", "vaccination", "remote", "other"]
RoomKind: TypeAlias = Literal["room", "equipment"]


class ScheduleAppointment(Command):
    """Book a patient with a practitioner.

    `appointment_datetime` without an offset is local time where the organisation is. Without
    `duration_minutes` the visit type says how long. `overbook_reason` allows a time outside working
    hours; nothing allows a time that is already taken.
    """

    patient_id: UUID
    doctor_id: UUID
    appointment_datetime: datetime
    duration_minutes: Minutes | None = None
    visit_type: Code = "consultation"
    reason: Reason = ""
    room_id: UUID | None = None
    location_id: UUID | None = None
    appointment_id: UUID | None = None
    overbook_reason: Reason = ""


class RescheduleAppointment(Command):
    """Move an appointment: another time, practitioner, room or length. What is not named stays."""

    appointment_id: UUID
    appointment_datetime: datetime | None = None
    doctor_id: UUID | None = None
    duration_minutes: Minutes | None = None
    room_id: UUID | None | UnsetType = UNSET
    location_id: UUID | None | UnsetType = UNSET
    overbook_reason: Reason = ""


class UpdateAppointment(Command):
    """Change what an appointment is about, and, when named, its time, practitioner, room or length."""

    appointment_id: UUID
    reason: Reason | None = None
    visit_type: Code | None = None
    appointment_datetime: datetime | None = None
    doctor_id: UUID | None = None
    duration_minutes: Minutes | None = None
    room_id: UUID | None | UnsetType = UNSET
    location_id: UUID | None | UnsetType = UNSET
    overbook_reason: Reason = ""


class ConfirmAppointment(Command):
    appointment_id: UUID


class CheckIn(Command):
    """The patient has arrived."""

    appointment_id: UUID


class CompleteAppointment(Command):
    appointment_id: UUID


class CancelAppointment(Command):
    appointment_id: UUID
    reason: Reason = ""


class RecordNoShow(Command):
    appointment_id: UUID


class ReinstateAppointment(Command):
    """Take back a cancellation, a no-show or a check-in. The time must still be free."""

    appointment_id: UUID


class DefineVisitType(Command):
    """Add a visit type, or change the one of this code."""

    code: Code
    name_it: Name
    name_en: Name
    minutes: Minutes
    kind: VisitKind = "other"
    buffer_before: Buffer = 0
    buffer_after: Buffer = 0
    colour: Annotated[int, Meta(ge=0, le=11)] = 0


class RetireVisitType(Command):
    """Offer a visit type no longer. Appointments that have it keep it."""

    code: Code


class AddRoom(Command):
    name: Name
    kind: RoomKind = "room"
    location_id: UUID | None = None
    room_id: UUID | None = None


class ChangeRoom(Command):
    room_id: UUID
    name: Name | None = None
    kind: RoomKind | None = None
    location_id: UUID | None | UnsetType = UNSET


class RetireRoom(Command):
    room_id: UUID


AppointmentCommand: TypeAlias = (
    ScheduleAppointment
    | RescheduleAppointment
    | UpdateAppointment
    | ConfirmAppointment
    | CheckIn
    | CompleteAppointment
    | CancelAppointment
    | RecordNoShow
    | ReinstateAppointment
)
VisitTypeCommand: TypeAlias = DefineVisitType | RetireVisitType
RoomCommand: TypeAlias = AddRoom | ChangeRoom | RetireRoom
SchedulingCommand: TypeAlias = AppointmentCommand | VisitTypeCommand | RoomCommand
