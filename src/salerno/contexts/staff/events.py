"""What happens to a member of staff. This file is the room's published language."""

from datetime import date, datetime
from typing import TypeAlias
from uuid import UUID

from msgspec import Struct

from salerno.kernel.messages import Event


class Hours(Struct, frozen=True, kw_only=True):
    """One stretch of a weekly plan: weekday 0 is Monday; an end not after the start lies on the next day."""

    weekday: int
    start: str
    end: str


class Stretch(Struct, frozen=True, kw_only=True):
    """From one local time to another, of a day that is named elsewhere."""

    start: str
    end: str


class StaffMemberAdded(Event, tag="staff.staff_member_added.v1"):
    staff: UUID
    given_name: str
    family_name: str
    full_name: str
    role: str
    specialty: str = ""
    title: str = ""
    email: str = ""
    phone: str = ""
    employee_number: str = ""


class StaffMemberUpdated(Event, tag="staff.staff_member_updated.v1"):
    """The whole general record as it is from now on."""

    staff: UUID
    given_name: str
    family_name: str
    full_name: str
    role: str
    specialty: str = ""
    title: str = ""
    email: str = ""
    phone: str = ""
    employee_number: str = ""


class DoctorDetailsSet(Event, tag="staff.doctor_details_set.v1"):
    """What is kept of doctors only, apart from the general record."""

    staff: UUID
    licence_number: str
    licence_authority: str
    licence_valid_until: date | None
    specialties: tuple[str, ...]


class StaffMemberRemoved(Event, tag="staff.staff_member_removed.v1"):
    staff: UUID
    reason: str = ""


class WorkingHoursSet(Event, tag="staff.working_hours_set.v1"):
    staff: UUID
    location: UUID
    hours: tuple[Hours, ...]
    timezone: str
    valid_from: date
    valid_until: date | None


class AvailabilityExceptionSet(Event, tag="staff.availability_exception_set.v1"):
    """On this day, at this location, these stretches replace the weekly hours; none means closed."""

    staff: UUID
    exception: UUID
    day: date
    location: UUID
    stretches: tuple[Stretch, ...]
    timezone: str
    reason: str = ""


class AvailabilityExceptionRemoved(Event, tag="staff.availability_exception_removed.v1"):
    staff: UUID
    exception: UUID


class TimeOffAdded(Event, tag="staff.time_off_added.v1"):
    staff: UUID
    time_off: UUID
    starts_at: datetime
    ends_at: datetime
    kind: str
    reason: str = ""


class TimeOffRemoved(Event, tag="staff.time_off_removed.v1"):
    staff: UUID
    time_off: UUID


StaffEvent: TypeAlias = (
    StaffMemberAdded
    | StaffMemberUpdated
    | DoctorDetailsSet
    | StaffMemberRemoved
    | WorkingHoursSet
    | AvailabilityExceptionSet
    | AvailabilityExceptionRemoved
    | TimeOffAdded
    | TimeOffRemoved
)
EVENTS = (
    StaffMemberAdded,
    StaffMemberUpdated,
    DoctorDetailsSet,
    StaffMemberRemoved,
    WorkingHoursSet,
    AvailabilityExceptionSet,
    AvailabilityExceptionRemoved,
    TimeOffAdded,
    TimeOffRemoved,
)
