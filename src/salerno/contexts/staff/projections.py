"""What screens need of the staff, kept from events."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from salerno.contexts.organisations.events import (
    OrganisationRegistered,
    OrganisationSettingsChanged,
)
from salerno.contexts.staff.events import (
    AvailabilityExceptionRemoved,
    AvailabilityExceptionSet,
    DoctorDetailsSet,
    Hours,
    StaffEvent,
    StaffMemberAdded,
    StaffMemberRemoved,
    StaffMemberUpdated,
    Stretch,
    TimeOffAdded,
    TimeOffRemoved,
    WorkingHoursSet,
)
from salerno.kernel.database import load_sql
from salerno.kernel.documents import Documents
from salerno.kernel.messages import Recorded
from salerno.kernel.room import Projection
from salerno.kernel.transactions import Tx

SQL = load_sql(__package__)


class PlanView(Struct, frozen=True, kw_only=True):
    """A week of hours at one location, valid from a day on."""

    location: UUID
    hours: tuple[Hours, ...]
    timezone: str
    valid_from: date
    valid_until: date | None


class ExceptionView(Struct, frozen=True, kw_only=True):
    """One day that differs."""

    exception: UUID
    day: date
    location: UUID
    stretches: tuple[Stretch, ...]
    timezone: str
    reason: str = ""


class TimeOffView(Struct, frozen=True, kw_only=True):
    """Away from one moment to another."""

    time_off: UUID
    starts_at: datetime
    ends_at: datetime
    kind: str
    reason: str = ""


class MemberView(Struct, frozen=True, kw_only=True):
    """The general record with the hours."""

    staff: UUID
    given_name: str
    family_name: str
    full_name: str
    role: str
    specialty: str
    title: str
    email: str
    phone: str
    employee_number: str
    removed: bool = False
    plans: tuple[PlanView, ...] = ()
    exceptions: tuple[ExceptionView, ...] = ()
    time_off: tuple[TimeOffView, ...] = ()


class DoctorView(Struct, frozen=True, kw_only=True):
    """What is kept of doctors only."""

    staff: UUID
    licence_number: str
    licence_authority: str
    licence_valid_until: date | None
    specialties: tuple[str, ...]


def member_view(before: MemberView | None, item: Recorded[StaffEvent]) -> MemberView | None:
    match item.event:
        case StaffMemberAdded() as event:
            return MemberView(**_record(event))
        case StaffMemberUpdated() as event:
            return before and replace(before, **_record(event))
        case StaffMemberRemoved():
            return before and replace(before, removed=True)
        case WorkingHoursSet() as event:
            return before and replace(before, plans=(*before.plans, _plan(event)))
        case AvailabilityExceptionSet() as event:
            return before and replace(before, exceptions=(*before.exceptions, _exception(event)))
        case AvailabilityExceptionRemoved(exception=gone):
            return before and replace(
                before,
                exceptions=tuple(e for e in before.exceptions if e.exception != gone),
            )
        case TimeOffAdded() as event:
            return before and replace(before, time_off=(*before.time_off, _time_off(event)))
        case TimeOffRemoved(time_off=gone):
            return before and replace(before, time_off=tuple(t for t in before.time_off if t.time_off != gone))
        case _:
            return before


def doctor_view(before: DoctorView | None, item: Recorded[StaffEvent]) -> DoctorView | None:
    match item.event:
        case DoctorDetailsSet() as event:
            return DoctorView(
                staff=event.staff,
                licence_number=event.licence_number,
                licence_authority=event.licence_authority,
                licence_valid_until=event.licence_valid_until,
                specialties=event.specialties,
            )
        case _:
            return before


def _record(event: StaffMemberAdded | StaffMemberUpdated) -> dict[str, Any]:
    return {
        "staff": event.staff,
        "given_name": event.given_name,
        "family_name": event.family_name,
        "full_name": event.full_name,
        "role": event.role,
        "specialty": event.specialty,
        "title": event.title,
        "email": event.email,
        "phone": event.phone,
        "employee_number": event.employee_number,
    }


def _plan(event: WorkingHoursSet) -> PlanView:
    return PlanView(
        location=event.location,
        hours=event.hours,
        timezone=event.timezone,
        valid_from=event.valid_from,
        valid_until=event.valid_until,
    )


def _exception(event: AvailabilityExceptionSet) -> ExceptionView:
    return ExceptionView(
        exception=event.exception,
        day=event.day,
        location=event.location,
        stretches=event.stretches,
        timezone=event.timezone,
        reason=event.reason,
    )


def _time_off(event: TimeOffAdded) -> TimeOffView:
    return TimeOffView(
        time_off=event.time_off,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        kind=event.kind,
        reason=event.reason,
    )


MEMBERS: Documents[MemberView] = Documents(
    table="members",
    kind="staff.member",
    shape=MemberView,
    evolve=member_view,
    columns=lambda view: {"role": view.role, "removed": view.removed},
)
DOCTORS: Documents[DoctorView] = Documents(
    table="doctors",
    kind="staff.member",
    shape=DoctorView,
    evolve=doctor_view,
    columns=lambda _: {},
)


async def learn_clinic_time(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """Working hours are local: this room keeps each organisation's time zone."""
    for item in items:
        event: OrganisationRegistered | OrganisationSettingsChanged = item.event
        await tx.run(SQL["keep_timezone"], item.origin.organisation, event.settings.timezone)


LISTENS = (
    Projection(
        name="staff.clinic_time",
        tables=("clinic_time",),
        events=(OrganisationRegistered, OrganisationSettingsChanged),
        apply=learn_clinic_time,
    ),
)
