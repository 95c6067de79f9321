"""What may be asked of the staff room."""

from datetime import date, datetime
from typing import Annotated, TypeAlias
from uuid import UUID

from msgspec import Meta, Struct

from salerno.kernel.messages import Command

Name = Annotated[str, Meta(min_length=1, max_length=120)]
Short = Annotated[str, Meta(max_length=120)]
Text = Annotated[str, Meta(max_length=500)]
LocalTime = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]


class WeeklyHours(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Monday is 0. An end that is not after the start lies on the next day."""

    weekday: Annotated[int, Meta(ge=0, le=6)]
    start: LocalTime
    end: LocalTime


class DayStretch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From one local time to another."""

    start: LocalTime
    end: LocalTime


class DoctorDetails(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept of doctors only."""

    licence_number: Annotated[str, Meta(min_length=1, max_length=60)]
    licence_authority: Short = ""
    licence_valid_until: date | None = None
    specialties: Annotated[tuple[Short, ...], Meta(max_length=20)] = ()


class AddStaffMember(Command):
    staff_id: UUID | None = None
    given_name: Name
    family_name: Name
    role: str
    specialty: Short = ""
    title: Short = ""
    email: Annotated[str, Meta(max_length=254)] = ""
    phone: Annotated[str, Meta(max_length=40)] = ""
    employee_number: Annotated[str, Meta(max_length=40)] = ""
    doctor: DoctorDetails | None = None


class UpdateStaffMember(Command):
    """Fields left out stay as they are."""

    staff_id: UUID
    given_name: Name | None = None
    family_name: Name | None = None
    role: str | None = None
    specialty: Short | None = None
    title: Short | None = None
    email: Annotated[str, Meta(max_length=254)] | None = None
    phone: Annotated[str, Meta(max_length=40)] | None = None
    employee_number: Annotated[str, Meta(max_length=40)] | None = None
    doctor: DoctorDetails | None = None


class RemoveStaffMember(Command):
    staff_id: UUID
    reason: Text = ""


class SetWorkingHours(Command):
    """A week at one location, from a day on. An empty week ends the work there."""

    staff_id: UUID
    location_id: UUID
    hours: Annotated[tuple[WeeklyHours, ...], Meta(max_length=42)]
    timezone: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None


class AddAvailabilityException(Command):
    """One day that differs: its stretches replace the weekly hours; none means not working."""

    staff_id: UUID
    exception_id: UUID | None = None
    day: date
    location_id: UUID
    stretches: Annotated[tuple[DayStretch, ...], Meta(max_length=6)] = ()
    timezone: str | None = None
    reason: Text = ""


class RemoveAvailabilityException(Command):
    staff_id: UUID
    exception_id: UUID


class AddTimeOff(Command):
    staff_id: UUID
    time_off_id: UUID | None = None
    starts_at: datetime
    ends_at: datetime
    kind: Annotated[str, Meta(min_length=1, max_length=40)] = "leave"
    reason: Text = ""


class RemoveTimeOff(Command):
    staff_id: UUID
    time_off_id: UUID


StaffCommand: TypeAlias = (
    AddStaffMember
    | UpdateStaffMember
    | RemoveStaffMember
    | SetWorkingHours
    | AddAvailabilityException
    | RemoveAvailabilityException
    | AddTimeOff
    | RemoveTimeOff
)
