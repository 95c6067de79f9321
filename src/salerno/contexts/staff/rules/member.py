"""The rules of a member of staff: one record, one week at a time, and nobody in two places at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from salerno.contexts.staff.commands import (
    AddAvailabilityException,
    AddStaffMember,
    AddTimeOff,
    DoctorDetails,
    RemoveAvailabilityException,
    RemoveStaffMember,
    RemoveTimeOff,
    SetWorkingHours,
    StaffCommand,
    UpdateStaffMember,
)
from salerno.contexts.staff.errors import (
    AlreadyAdded,
    HoursOverlap,
    MemberRemoved,
    NoSuchException,
    NoSuchStaffMember,
    NoSuchTimeOff,
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
from salerno.contexts.staff.rules.hours import Plan, check_timezone, collision
from salerno.contexts.staff.rules.weeks import makes_sense, not_elsewhere
from salerno.kernel.decider import Decider
from salerno.kernel.errors import Invalid
from salerno.kernel.messages import Origin


class Status(StrEnum):
    UNKNOWN = "unknown"
    ACTIVE = "active"
    REMOVED = "removed"


class StaffRole(StrEnum):
    ADMIN = "ADMIN"
    DOCTOR = "DOCTOR"
    NURSE = "NURSE"
    RECEPTIONIST = "RECEPTIONIST"
    PHARMACIST = "PHARMACIST"
    LAB_TECHNICIAN = "LAB_TECHNICIAN"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Record:
    """The general record, as the events carry it."""

    given_name: str = ""
    family_name: str = ""
    role: StaffRole = StaffRole.OTHER
    specialty: str = ""
    title: str = ""
    email: str = ""
    phone: str = ""
    employee_number: str = ""

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


@dataclass(frozen=True, slots=True)
class Member:
    status: Status = Status.UNKNOWN
    record: Record = Record()
    doctor: DoctorDetails | None = None
    plans: tuple[Plan, ...] = ()
    exceptions: frozenset[UUID] = frozenset()
    time_off: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Known:
    """A command with what only the server knows: the ids it made, the clinic's day and time zone."""

    command: StaffCommand
    staff: UUID
    made: UUID
    today: date
    timezone: str


def decide(state: Member, wish: Known, origin: Origin) -> Sequence[StaffEvent]:
    if not isinstance(wish.command, AddStaffMember):
        _still_here(state)
    match wish.command:
        case AddStaffMember() as command:
            return _add(state, wish, command)
        case UpdateStaffMember() as command:
            return _update(state, command)
        case RemoveStaffMember() as command:
            return [StaffMemberRemoved(staff=wish.staff, reason=command.reason)]
        case SetWorkingHours() as command:
            return _set_hours(state, wish, command)
        case AddAvailabilityException() as command:
            return _except(state, wish, command)
        case RemoveAvailabilityException() as command:
            _known(command.exception_id in state.exceptions, NoSuchException())
            return [AvailabilityExceptionRemoved(staff=wish.staff, exception=command.exception_id)]
        case AddTimeOff() as command:
            return _take_off(state, wish, command)
        case RemoveTimeOff() as command:
            _known(command.time_off_id in state.time_off, NoSuchTimeOff())
            return [TimeOffRemoved(staff=wish.staff, time_off=command.time_off_id)]
        case _:
            assert_never(wish.command)


def evolve(state: Member, event: StaffEvent) -> Member:
    match event:
        case StaffMemberAdded() | StaffMemberUpdated():
            return replace(state, status=Status.ACTIVE, record=_record_in(event))
        case DoctorDetailsSet():
            return replace(state, doctor=_doctor_in(event))
        case StaffMemberRemoved():
            return replace(state, status=Status.REMOVED)
        case WorkingHoursSet():
            return replace(state, plans=(*state.plans, plan_in(event)))
        case AvailabilityExceptionSet():
            return replace(state, exceptions=state.exceptions | {event.exception})
        case AvailabilityExceptionRemoved():
            return replace(state, exceptions=state.exceptions - {event.exception})
        case TimeOffAdded():
            return replace(state, time_off=state.time_off | {event.time_off})
        case TimeOffRemoved():
            return replace(state, time_off=state.time_off - {event.time_off})
        case _:
            assert_never(event)


def plan_in(event: WorkingHoursSet) -> Plan:
    return Plan(event.location, event.hours, event.timezone, event.valid_from, event.valid_until)


def role_of(text: str) -> StaffRole:
    """A role by its name, however it is written."""
    try:
        return StaffRole(text.strip().upper().replace(" ", "_").replace("-", "_"))
    except ValueError:
        raise Invalid.field("role", "unknown-role", "This is not a role that staff can have.") from None


def _still_here(state: Member) -> None:
    if state.status is Status.UNKNOWN:
        raise NoSuchStaffMember()
    if state.status is Status.REMOVED:
        raise MemberRemoved()


def _known(found: bool, otherwise: Exception) -> None:
    if not found:
        raise otherwise


def _add(state: Member, wish: Known, command: AddStaffMember) -> list[StaffEvent]:
    if state.status is not Status.UNKNOWN:
        raise AlreadyAdded()
    record = Record(
        given_name=_name(command.given_name, "given_name"),
        family_name=_name(command.family_name, "family_name"),
        role=role_of(command.role),
        specialty=command.specialty.strip(),
        title=command.title.strip(),
        email=command.email.strip(),
        phone=command.phone.strip(),
        employee_number=command.employee_number.strip(),
    )
    _only_doctors(record, command.doctor)
    added: list[StaffEvent] = [StaffMemberAdded(staff=wish.staff, full_name=record.full_name, **_fields(record))]
    return added + _doctor_events(wish.staff, None, command.doctor)


def _update(state: Member, command: UpdateStaffMember) -> list[StaffEvent]:
    old = state.record
    record = Record(
        given_name=_name(_or(command.given_name, old.given_name), "given_name"),
        family_name=_name(_or(command.family_name, old.family_name), "family_name"),
        role=old.role if command.role is None else role_of(command.role),
        specialty=_or(command.specialty, old.specialty),
        title=_or(command.title, old.title),
        email=_or(command.email, old.email),
        phone=_or(command.phone, old.phone),
        employee_number=_or(command.employee_number, old.employee_number),
    )
    _only_doctors(record, command.doctor)
    changed: list[StaffEvent] = []
    if record != old:
        changed.append(StaffMemberUpdated(staff=command.staff_id, full_name=record.full_name, **_fields(record)))
    return changed + _doctor_events(command.staff_id, state.doctor, command.doctor)


def _or(new: str | None, old: str) -> str:
    return old if new is None else new.strip()


def _name(text: str, path: str) -> str:
    if not text.strip():
        raise Invalid.field(path, "required", "A name is needed.")
    return " ".join(text.split())


def _fields(record: Record) -> dict[str, str]:
    return {
        "given_name": record.given_name,
        "family_name": record.family_name,
        "role": record.role.value,
        "specialty": record.specialty,
        "title": record.title,
        "email": record.email,
        "phone": record.phone,
        "employee_number": record.employee_number,
    }


def _only_doctors(record: Record, doctor: DoctorDetails | None) -> None:
    if doctor is not None and record.role is not StaffRole.DOCTOR:
        raise Invalid.field("doctor", "not-a-doctor", "Only a doctor has a licence and specialties.")


def _doctor_events(staff: UUID, old: DoctorDetails | None, new: DoctorDetails | None) -> list[StaffEvent]:
    if new is None or new == old:
        return []
    return [
        DoctorDetailsSet(
            staff=staff,
            licence_number=new.licence_number.strip(),
            licence_authority=new.licence_authority.strip(),
            licence_valid_until=new.licence_valid_until,
            specialties=tuple(dict.fromkeys(name.strip() for name in new.specialties if name.strip())),
        )
    ]


def _set_hours(state: Member, wish: Known, command: SetWorkingHours) -> list[StaffEvent]:
    plan = Plan(
        location=command.location_id,
        hours=tuple(Hours(weekday=one.weekday, start=one.start, end=one.end) for one in command.hours),
        timezone=check_timezone(command.timezone or wish.timezone),
        valid_from=command.valid_from or wish.today,
        valid_until=command.valid_until,
    )
    makes_sense(plan)
    not_elsewhere(state.plans, plan)
    if state.plans and state.plans[-1] == plan:
        return []
    return [
        WorkingHoursSet(
            staff=wish.staff,
            location=plan.location,
            hours=plan.hours,
            timezone=plan.timezone,
            valid_from=plan.valid_from,
            valid_until=plan.valid_until,
        )
    ]


def _except(state: Member, wish: Known, command: AddAvailabilityException) -> list[StaffEvent]:
    stretches = tuple(Stretch(start=one.start, end=one.end) for one in command.stretches)
    week = [Hours(weekday=command.day.weekday(), start=one.start, end=one.end) for one in stretches]
    if any(one.start in (one.end, "24:00") for one in stretches):
        raise Invalid.field(
            "stretches",
            "empty-stretch",
            "A stretch of hours must have a beginning and a later end.",
        )
    if clash := collision(week, week):
        raise HoursOverlap(
            location=str(command.location_id),
            weekday=clash.weekday,
            start=clash.start,
            end=clash.end,
        )
    return [
        AvailabilityExceptionSet(
            staff=wish.staff,
            exception=command.exception_id or wish.made,
            day=command.day,
            location=command.location_id,
            stretches=stretches,
            timezone=check_timezone(command.timezone or wish.timezone),
            reason=command.reason.strip(),
        )
    ]


def _take_off(state: Member, wish: Known, command: AddTimeOff) -> list[StaffEvent]:
    if command.starts_at.tzinfo is None or command.ends_at.tzinfo is None:
        raise Invalid.field("starts_at", "no-offset", "Say the offset from UTC as well.")
    if command.ends_at <= command.starts_at:
        raise Invalid.field("ends_at", "not-after-start", "The end must lie after the beginning.")
    time_off = command.time_off_id or wish.made
    if time_off in state.time_off:
        return []
    return [
        TimeOffAdded(
            staff=wish.staff,
            time_off=time_off,
            starts_at=command.starts_at,
            ends_at=command.ends_at,
            kind=command.kind.strip(),
            reason=command.reason.strip(),
        )
    ]


def _record_in(event: StaffMemberAdded | StaffMemberUpdated) -> Record:
    return Record(
        given_name=event.given_name,
        family_name=event.family_name,
        role=StaffRole(event.role),
        specialty=event.specialty,
        title=event.title,
        email=event.email,
        phone=event.phone,
        employee_number=event.employee_number,
    )


def _doctor_in(event: DoctorDetailsSet) -> DoctorDetails:
    return DoctorDetails(
        licence_number=event.licence_number,
        licence_authority=event.licence_authority,
        licence_valid_until=event.licence_valid_until,
        specialties=event.specialties,
    )


MEMBER: Decider[Member, Known, StaffEvent] = Decider(
    kind="staff.member",
    initial=Member(),
    decide=decide,
    evolve=evolve,
    events=StaffEvent,
)
