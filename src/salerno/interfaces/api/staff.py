"""The staff over REST (STF-01 to STF-08): records, hours, exceptions, time off, and when somebody really works."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct, field
from msgspec.structs import asdict

from salerno.contexts.staff.commands import (
    AddAvailabilityException,
    AddStaffMember,
    AddTimeOff,
    DayStretch,
    DoctorDetails,
    LocalTime,
    Name,
    RemoveAvailabilityException,
    RemoveStaffMember,
    RemoveTimeOff,
    SetWorkingHours,
    Short,
    Text,
    UpdateStaffMember,
    WeeklyHours,
)
from salerno.contexts.staff.queries import (
    Assignment,
    FreeInterval,
    StaffAssignments,
    StaffAvailability,
    StaffDetail,
    StaffMemberById,
    StaffMembers,
    StaffSummary,
)
from salerno.interfaces.http import (
    Body,
    Paging,
    Request,
    Response,
    answer,
    ask,
    delete,
    get,
    no_content,
    post,
    put,
    read_body,
    read_query,
    submit,
)
from salerno.kernel.messages import Page, Receipt

TAGS = ("staff",)
ID = "{staff_id:uuid}"
EXAMPLE = {
    "given_name": "Giulia",
    "family_name": "Ferri",
    "role": "DOCTOR",
    "specialty": "geriatrics",
    "doctor": {"licence_number": "NA-12345", "licence_authority": "OMCeO Napoli", "specialties": ["geriatrics"]},
}


class StaffWanted(Paging):
    q: Annotated[str, Meta(max_length=200)] = ""
    role: Annotated[str, Meta(max_length=40)] | None = None
    specialty: Annotated[str, Meta(max_length=120)] | None = None
    location_id: UUID | None = None


class StaffList(Struct, frozen=True, kw_only=True):
    staff: Sequence[StaffSummary]
    total: int
    limit: int
    offset: int


class NewStaff(Body):
    given_name: Name
    family_name: Name
    role: Annotated[str, Meta(max_length=40)]
    specialty: Short = ""
    title: Short = ""
    email: Annotated[str, Meta(max_length=254)] = ""
    phone: Annotated[str, Meta(max_length=40)] = ""
    employee_number: Annotated[str, Meta(max_length=40)] = ""
    doctor: DoctorDetails | None = None


class StaffChange(Body):
    """Fields left out stay as they are."""

    given_name: Name | None = None
    family_name: Name | None = None
    role: Annotated[str, Meta(max_length=40)] | None = None
    specialty: Short | None = None
    title: Short | None = None
    email: Annotated[str, Meta(max_length=254)] | None = None
    phone: Annotated[str, Meta(max_length=40)] | None = None
    employee_number: Annotated[str, Meta(max_length=40)] | None = None
    doctor: DoctorDetails | None = None


class Span(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From one moment to another, with their offset from UTC."""

    from_: datetime = field(name="from")
    to: datetime


class AvailabilityAnswer(Struct, frozen=True, kw_only=True):
    staff_id: UUID
    from_: datetime = field(name="from")
    to: datetime
    intervals: Sequence[FreeInterval]


class AssignmentList(Struct, frozen=True, kw_only=True):
    assignments: Sequence[Assignment]


class Stretch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    weekday: Annotated[int, Meta(ge=0, le=6, description="0 is Monday.")]
    start: LocalTime
    end: LocalTime


class Hours(Body):
    location_id: UUID
    hours: Annotated[tuple[Stretch, ...], Meta(max_length=42)]
    timezone: Annotated[str, Meta(max_length=64)] | None = None
    valid_from: date | None = None
    valid_until: date | None = None


class DayException(Body):
    day: date
    location_id: UUID
    stretches: Annotated[tuple[DayStretch, ...], Meta(max_length=6)] = ()
    timezone: Annotated[str, Meta(max_length=64)] | None = None
    reason: Text = ""


class Away(Body):
    starts_at: datetime
    ends_at: datetime
    kind: Annotated[str, Meta(min_length=1, max_length=40)] = "leave"
    reason: Text = ""


def _staff(request: Request[Any, Any, Any]) -> UUID:
    staff: UUID = request.path_params["staff_id"]
    return staff


async def _shown(
    request: Request[Any, Any, Any], staff: UUID, status: int = 200, location: str | None = None
) -> Response[Any]:
    detail: StaffDetail = await ask(request, StaffMemberById(staff_id=staff))
    return answer(request, detail, status, etag=detail.version, location=location)


@get("/staff", of=StaffMembers, query=StaffWanted, gives=StaffList, tags=TAGS)
async def staff_members(request: Request[Any, Any, Any]) -> Response[Any]:
    """Who works here, by family name."""
    page: Page[StaffSummary] = await ask(request, StaffMembers(**asdict(read_query(request, StaffWanted))))
    return answer(request, StaffList(staff=page.items, total=page.total, limit=page.limit, offset=page.offset))


@post("/staff", of=AddStaffMember, takes=NewStaff, gives=StaffDetail, status=201, example=EXAMPLE, tags=TAGS)
async def add_staff_member(request: Request[Any, Any, Any]) -> Response[Any]:
    """Add somebody to the staff."""
    body = await read_body(request, NewStaff)
    receipt: Receipt = await submit(request, AddStaffMember(**asdict(body)))
    return await _shown(request, receipt.aggregate_id, 201, f"/api/v1/staff/{receipt.aggregate_id}")


@get(f"/staff/{ID}", of=StaffMemberById, gives=StaffDetail, tags=TAGS)
async def staff_member(request: Request[Any, Any, Any]) -> Response[Any]:
    """One member of staff."""
    return await _shown(request, _staff(request))


@put(f"/staff/{ID}", of=UpdateStaffMember, takes=StaffChange, gives=StaffDetail, tags=TAGS)
async def update_staff_member(request: Request[Any, Any, Any]) -> Response[Any]:
    """Change the record; If-Match guards against overwriting somebody else's change."""
    body = await read_body(request, StaffChange)
    await submit(request, UpdateStaffMember(staff_id=_staff(request), **asdict(body)))
    return await _shown(request, _staff(request))


@delete(f"/staff/{ID}", of=RemoveStaffMember, status=204, tags=TAGS)
async def remove_staff_member(request: Request[Any, Any, Any]) -> Response[Any]:
    """Take somebody off the staff; what they have done stays theirs."""
    await submit(request, RemoveStaffMember(staff_id=_staff(request)))
    return no_content()


@get(f"/staff/{ID}/availability", of=StaffAvailability, query=Span, gives=AvailabilityAnswer, tags=TAGS)
async def staff_availability(request: Request[Any, Any, Any]) -> Response[Any]:
    """When somebody really works between two moments: hours and exceptions, without time off."""
    span = read_query(request, Span)
    found = await ask(request, StaffAvailability(staff_id=_staff(request), from_=span.from_, to=span.to))
    return answer(
        request, AvailabilityAnswer(staff_id=found.staff_id, from_=found.from_, to=found.to, intervals=found.intervals)
    )


@get(f"/staff/{ID}/assignments", of=StaffAssignments, gives=AssignmentList, tags=TAGS)
async def staff_assignments(request: Request[Any, Any, Any]) -> Response[Any]:
    """Where somebody works, and in which hours."""
    found = await ask(request, StaffAssignments(staff_id=_staff(request)))
    return answer(request, AssignmentList(assignments=found))


@put(f"/staff/{ID}/hours", of=SetWorkingHours, takes=Hours, gives=StaffDetail, tags=TAGS)
async def set_working_hours(request: Request[Any, Any, Any]) -> Response[Any]:
    """A week of hours at one location, from a day on; an empty week ends the work there."""
    body = await read_body(request, Hours)
    hours = tuple(WeeklyHours(weekday=one.weekday, start=one.start, end=one.end) for one in body.hours)
    await submit(request, SetWorkingHours(staff_id=_staff(request), **asdict(body) | {"hours": hours}))
    return await _shown(request, _staff(request))


@post(
    f"/staff/{ID}/exceptions", of=AddAvailabilityException, takes=DayException, gives=StaffDetail, status=201, tags=TAGS
)
async def add_exception(request: Request[Any, Any, Any]) -> Response[Any]:
    """One day that differs from the weekly hours; without stretches it is free."""
    body = await read_body(request, DayException)
    await submit(request, AddAvailabilityException(staff_id=_staff(request), **asdict(body)))
    return await _shown(request, _staff(request), 201)


@delete(f"/staff/{ID}/exceptions/{{exception_id:uuid}}", of=RemoveAvailabilityException, status=204, tags=TAGS)
async def remove_exception(request: Request[Any, Any, Any]) -> Response[Any]:
    """The weekly hours hold again on that day."""
    exception: UUID = request.path_params["exception_id"]
    await submit(request, RemoveAvailabilityException(staff_id=_staff(request), exception_id=exception))
    return no_content()


@post(f"/staff/{ID}/time-off", of=AddTimeOff, takes=Away, gives=StaffDetail, status=201, tags=TAGS)
async def add_time_off(request: Request[Any, Any, Any]) -> Response[Any]:
    """Away from one moment to another."""
    body = await read_body(request, Away)
    await submit(request, AddTimeOff(staff_id=_staff(request), **asdict(body)))
    return await _shown(request, _staff(request), 201)


@delete(f"/staff/{ID}/time-off/{{time_off_id:uuid}}", of=RemoveTimeOff, status=204, tags=TAGS)
async def remove_time_off(request: Request[Any, Any, Any]) -> Response[Any]:
    """Back at work after all."""
    time_off: UUID = request.path_params["time_off_id"]
    await submit(request, RemoveTimeOff(staff_id=_staff(request), time_off_id=time_off))
    return no_content()


ROUTES = [
    staff_members,
    add_staff_member,
    staff_member,
    update_staff_member,
    remove_staff_member,
    staff_availability,
    staff_assignments,
    set_working_hours,
    add_exception,
    remove_exception,
    add_time_off,
    remove_time_off,
]
