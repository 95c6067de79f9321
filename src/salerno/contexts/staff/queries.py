"""What may be read of the staff, and in which shape."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.staff.errors import NoSuchStaffMember
from salerno.contexts.staff.events import Hours
from salerno.contexts.staff.projections import (
    DOCTORS,
    MEMBERS,
    SQL,
    DoctorView,
    ExceptionView,
    MemberView,
    PlanView,
    TimeOffView,
)
from salerno.contexts.staff.rules.hours import DayException, Plan, available
from salerno.contexts.staff.rules.member import role_of
from salerno.kernel.documents import Held
from salerno.kernel.errors import Invalid
from salerno.kernel.messages import Caller, Page, Query
from salerno.kernel.room import Answer
from salerno.kernel.transactions import Tx

LONGEST = timedelta(days=400)


class StaffMembers(Query):
    """Who works here, by family name; `q` finds in name, specialty and title."""

    q: str = ""
    role: str | None = None
    specialty: str | None = None
    location_id: UUID | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    offset: Annotated[int, Meta(ge=0)] = 0


class StaffMemberById(Query):
    staff_id: UUID


class StaffAvailability(Query):
    """When somebody really works: hours per location, exceptions instead of them, time off taken away."""

    staff_id: UUID
    from_: datetime
    to: datetime


class StaffAssignments(Query):
    """Where somebody works, in which hours, from when until when."""

    staff_id: UUID


class StaffSummary(Struct, frozen=True, kw_only=True):
    """A line in a list."""

    staff_id: UUID
    version: int
    full_name: str
    given_name: str
    family_name: str
    role: str
    specialty: str
    title: str
    email: str
    phone: str
    locations: tuple[UUID, ...]


class StaffDetail(Struct, frozen=True, kw_only=True):
    """The whole record. Exceptions and time off only for those who plan."""

    staff_id: UUID
    version: int
    full_name: str
    given_name: str
    family_name: str
    role: str
    specialty: str
    title: str
    email: str
    phone: str
    employee_number: str
    removed: bool
    doctor: DoctorView | None
    plans: tuple[PlanView, ...]
    exceptions: tuple[ExceptionView, ...]
    time_off: tuple[TimeOffView, ...]


class FreeInterval(Struct, frozen=True, kw_only=True):
    """Working from one moment to another at a location."""

    starts_at: datetime
    ends_at: datetime
    location_id: UUID


class Availability(Struct, frozen=True, kw_only=True):
    staff_id: UUID
    from_: datetime
    to: datetime
    intervals: tuple[FreeInterval, ...]


class Assignment(Struct, frozen=True, kw_only=True):
    """A place and a week."""

    staff_id: UUID
    location_id: UUID
    role: str
    specialty: str
    hours: tuple[Hours, ...]
    timezone: str
    valid_from: date
    valid_until: date | None


async def staff_members(tx: Tx, query: StaffMembers, caller: Caller) -> Page[StaffSummary]:
    role = role_of(query.role).value if query.role else None
    held = await MEMBERS.open(tx, await tx.fetch(SQL["members_at_work"], tx.organisation, role))
    found = sorted(
        (one for one in held if _fits(one.doc, query)),
        key=lambda one: _by_name(one.doc),
    )
    page = found[query.offset : query.offset + query.limit]
    return Page(
        items=[_summary(one) for one in page],
        total=len(found),
        limit=query.limit,
        offset=query.offset,
    )


def _fits(view: MemberView, query: StaffMembers) -> bool:
    text = f"{view.full_name} {view.specialty} {view.title}".casefold()
    return (
        all(word in text for word in query.q.casefold().split())
        and (query.specialty is None or query.specialty.casefold() in view.specialty.casefold())
        and (query.location_id is None or query.location_id in _locations(view))
    )


def _by_name(view: MemberView) -> tuple[str, str, str]:
    return view.family_name.casefold(), view.given_name.casefold(), str(view.staff)


def _locations(view: MemberView) -> tuple[UUID, ...]:
    """Where the newest plan for each place still has hours."""
    newest = {plan.location: plan for plan in view.plans}
    return tuple(location for location, plan in newest.items() if plan.hours)


def _summary(held: Held[MemberView]) -> StaffSummary:
    view = held.doc
    return StaffSummary(
        staff_id=view.staff,
        version=held.version,
        full_name=view.full_name,
        given_name=view.given_name,
        family_name=view.family_name,
        role=view.role,
        specialty=view.specialty,
        title=view.title,
        email=view.email,
        phone=view.phone,
        locations=_locations(view),
    )


async def staff_member_by_id(tx: Tx, query: StaffMemberById, caller: Caller) -> StaffDetail:
    held = await _member(tx, query.staff_id)
    doctor = await DOCTORS.get(tx, query.staff_id)
    view, plans_for = held.doc, "staff.plan" in caller.permissions
    return StaffDetail(
        staff_id=view.staff,
        version=held.version,
        full_name=view.full_name,
        given_name=view.given_name,
        family_name=view.family_name,
        role=view.role,
        specialty=view.specialty,
        title=view.title,
        email=view.email,
        phone=view.phone,
        employee_number=view.employee_number,
        removed=view.removed,
        doctor=doctor.doc if doctor else None,
        plans=view.plans,
        exceptions=view.exceptions if plans_for else (),
        time_off=view.time_off if plans_for else (),
    )


async def staff_availability(tx: Tx, query: StaffAvailability, caller: Caller) -> Availability:
    _sensible(query)
    view = (await _member(tx, query.staff_id)).doc
    intervals = [] if view.removed else available(
        [Plan(p.location, p.hours, p.timezone, p.valid_from, p.valid_until) for p in view.plans],
        [DayException(e.day, e.location, e.stretches, e.timezone) for e in view.exceptions],
        [(away.starts_at, away.ends_at) for away in view.time_off],
        query.from_,
        query.to,
    )  # fmt: skip
    return Availability(
        staff_id=query.staff_id,
        from_=query.from_,
        to=query.to,
        intervals=tuple(
            FreeInterval(starts_at=one.starts_at, ends_at=one.ends_at, location_id=one.location) for one in intervals
        ),
    )


def _sensible(query: StaffAvailability) -> None:
    if query.from_.tzinfo is None or query.to.tzinfo is None:
        raise Invalid.field("from", "no-offset", "Say the offset from UTC as well.")
    if query.to <= query.from_:
        raise Invalid.field("to", "not-after-start", "The end must lie after the beginning.")
    if query.to - query.from_ > LONGEST:
        raise Invalid.field("to", "too-long", f"Ask for at most {LONGEST.days} days at a time.")


async def staff_assignments(tx: Tx, query: StaffAssignments, caller: Caller) -> Sequence[Assignment]:
    view = (await _member(tx, query.staff_id)).doc
    return [
        Assignment(
            staff_id=view.staff,
            location_id=plan.location,
            role=view.role,
            specialty=view.specialty,
            hours=plan.hours,
            timezone=plan.timezone,
            valid_from=plan.valid_from,
            valid_until=plan.valid_until,
        )
        for plan in {plan.location: plan for plan in view.plans}.values()
        if plan.hours and not view.removed
    ]


async def _member(tx: Tx, staff: UUID) -> Held[MemberView]:
    held = await MEMBERS.get(tx, staff)
    if held is None:
        raise NoSuchStaffMember()
    return held


ANSWERS: dict[type[Query], Answer] = {
    StaffMembers: staff_members,
    StaffMemberById: staff_member_by_id,
    StaffAvailability: staff_availability,
    StaffAssignments: staff_assignments,
}
