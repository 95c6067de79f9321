"""A member of staff: one record, hours that do not collide, and clocks that change."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salerno.contexts.staff.commands import (
    AddAvailabilityException,
    AddStaffMember,
    AddTimeOff,
    DayStretch,
    DoctorDetails,
    RemoveStaffMember,
    RemoveTimeOff,
    SetWorkingHours,
    StaffCommand,
    UpdateStaffMember,
    WeeklyHours,
)
from salerno.contexts.staff.errors import AlreadyAdded, HoursOverlap, MemberRemoved, NoSuchStaffMember, NoSuchTimeOff
from salerno.contexts.staff.events import (
    DoctorDetailsSet,
    Hours,
    StaffMemberAdded,
    StaffMemberRemoved,
    StaffMemberUpdated,
    Stretch,
    WorkingHoursSet,
)
from salerno.contexts.staff.rules.hours import DayException, Plan, available
from salerno.contexts.staff.rules.member import MEMBER, Known
from salerno.kernel.errors import Invalid
from salerno.kernel.testing import Scenario

BELL, MADE = UUID(int=1), UUID(int=2)
HILL, PORT = UUID(int=11), UUID(int=12)
TODAY, ROME = date(2026, 3, 2), "Europe/Rome"
ADDED = StaffMemberAdded(
    staff=BELL, given_name="Joseph", family_name="Bell", full_name="Joseph Bell", role="DOCTOR", specialty="geriatrics"
)
LICENCE = DoctorDetailsSet(
    staff=BELL, licence_number="NA-1", licence_authority="", licence_valid_until=None, specialties=("geriatrics",)
)


def wish(command: StaffCommand) -> Known:
    return Known(command, BELL, MADE, TODAY, ROME)


def week(place: UUID, *stretches: tuple[int, str, str], until: date | None = None) -> SetWorkingHours:
    hours = tuple(WeeklyHours(weekday=day, start=start, end=end) for day, start, end in stretches)
    return SetWorkingHours(staff_id=BELL, location_id=place, hours=hours, valid_until=until)


def hours_set(place: UUID, *stretches: tuple[int, str, str]) -> WorkingHoursSet:
    hours = tuple(Hours(weekday=day, start=start, end=end) for day, start, end in stretches)
    return WorkingHoursSet(staff=BELL, location=place, hours=hours, timezone=ROME, valid_from=TODAY, valid_until=None)


def test_a_doctor_is_added_with_the_licence_apart() -> None:
    command = AddStaffMember(
        given_name=" Joseph ", family_name="Bell", role="doctor", specialty="geriatrics",
        doctor=DoctorDetails(licence_number="NA-1", specialties=("geriatrics", "geriatrics", " ")),
    )  # fmt: skip
    Scenario(MEMBER).when(wish(command)).then(ADDED, LICENCE)


def test_only_doctors_have_a_licence() -> None:
    command = AddStaffMember(given_name="A", family_name="B", role="NURSE", doctor=DoctorDetails(licence_number="NA-1"))
    Scenario(MEMBER).when(wish(command)).then_refused(Invalid)


def test_nobody_is_added_twice() -> None:
    command = AddStaffMember(given_name="Joseph", family_name="Bell", role="DOCTOR")
    Scenario(MEMBER).given(ADDED).when(wish(command)).then_refused(AlreadyAdded)


def test_a_change_carries_the_whole_record_and_no_change_is_nothing() -> None:
    given_ = Scenario(MEMBER).given(ADDED)
    given_.when(wish(UpdateStaffMember(staff_id=BELL, title="Dr"))).then(
        StaffMemberUpdated(
            staff=BELL, given_name="Joseph", family_name="Bell", full_name="Joseph Bell", role="DOCTOR",
            specialty="geriatrics", title="Dr",
        )
    )  # fmt: skip
    given_.when(wish(UpdateStaffMember(staff_id=BELL, given_name="Joseph"))).then_nothing()


def test_once_removed_nothing_changes() -> None:
    gone = Scenario(MEMBER).given(ADDED, StaffMemberRemoved(staff=BELL))
    for command in (UpdateStaffMember(staff_id=BELL, title="Dr"), week(HILL), RemoveStaffMember(staff_id=BELL)):
        gone.when(wish(command)).then_refused(MemberRemoved)
    Scenario(MEMBER).when(wish(week(HILL))).then_refused(NoSuchStaffMember)


def test_hours_hold_from_today_in_the_clinics_zone() -> None:
    Scenario(MEMBER).given(ADDED).when(wish(week(HILL, (0, "09:00", "13:00")))).then(
        hours_set(HILL, (0, "09:00", "13:00"))
    )


@pytest.mark.parametrize(
    ("place", "stretch", "collides"),
    [
        (PORT, (0, "12:00", "15:00"), True),
        (PORT, (0, "13:00", "15:00"), False),
        (PORT, (1, "09:00", "13:00"), False),
        (PORT, (6, "22:00", "10:00"), True),
        (HILL, (0, "12:00", "15:00"), False),
    ],
)
def test_nobody_is_in_two_places_at_once(place: UUID, stretch: tuple[int, str, str], collides: bool) -> None:
    asked = Scenario(MEMBER).given(ADDED, hours_set(HILL, (0, "09:00", "13:00"))).when(wish(week(place, stretch)))
    if collides:
        assert asked.then_refused(HoursOverlap).details["location"] == str(HILL)
    else:
        asked.then(hours_set(place, stretch))


def test_hours_that_a_later_week_has_replaced_are_in_nobodys_way() -> None:
    past = Scenario(MEMBER).given(ADDED, hours_set(HILL, (0, "09:00", "13:00")), hours_set(HILL))
    past.when(wish(week(PORT, (0, "09:00", "13:00")))).then(hours_set(PORT, (0, "09:00", "13:00")))


@pytest.mark.parametrize(
    "stretches",
    [[(0, "09:00", "09:00")], [(0, "24:00", "01:00")], [(0, "09:00", "13:00"), (0, "12:00", "14:00")],
     [(6, "22:00", "06:00"), (0, "05:00", "09:00")]],
)  # fmt: skip
def test_a_week_that_makes_no_sense_is_refused(stretches: list[tuple[int, str, str]]) -> None:
    asked = Scenario(MEMBER).given(ADDED).when(wish(week(HILL, *stretches)))
    with pytest.raises((Invalid, HoursOverlap)):
        asked.events()


def test_time_off_needs_an_order_and_a_zone_and_must_exist_to_be_removed() -> None:
    given_ = Scenario(MEMBER).given(ADDED)
    start = datetime(2026, 3, 2, 9, tzinfo=UTC)
    for first, last in ((start, start), (start, start - timedelta(hours=1)), (start.replace(tzinfo=None), start)):
        given_.when(wish(AddTimeOff(staff_id=BELL, starts_at=first, ends_at=last))).then_refused(Invalid)
    given_.when(wish(RemoveTimeOff(staff_id=BELL, time_off_id=MADE))).then_refused(NoSuchTimeOff)


def test_stretches_of_one_day_may_not_overlap() -> None:
    command = AddAvailabilityException(
        staff_id=BELL, day=TODAY, location_id=HILL,
        stretches=(DayStretch(start="09:00", end="12:00"), DayStretch(start="11:00", end="13:00")),
    )  # fmt: skip
    Scenario(MEMBER).given(ADDED).when(wish(command)).then_refused(HoursOverlap)


# ---------------------------------------------------------------- when somebody really works
def plan(place: UUID, *stretches: tuple[int, str, str], since: date = date(2026, 1, 1), zone: str = ROME) -> Plan:
    hours = tuple(Hours(weekday=day, start=start, end=end) for day, start, end in stretches)
    return Plan(place, hours, zone, since, None)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def shown(found: list[object]) -> list[tuple[str, str]]:
    return [(f"{one.starts_at:%d %H:%M}", f"{one.ends_at:%d %H:%M}") for one in found]  # type: ignore[attr-defined]


def test_winter_and_summer_time_keep_the_clinics_clock() -> None:
    found = available([plan(HILL, (4, "09:00", "13:00"))], [], [], utc("2026-03-26"), utc("2026-04-04"))
    assert shown(found) == [("27 08:00", "27 12:00"), ("03 07:00", "03 11:00")]


def test_a_night_over_each_change_of_clocks_has_its_real_length() -> None:
    night = [plan(HILL, (5, "22:00", "06:00"))]
    spring = available(night, [], [], utc("2026-03-28T12:00"), utc("2026-03-29T12:00"))
    autumn = available(night, [], [], utc("2026-10-24T12:00"), utc("2026-10-25T12:00"))
    assert [one.ends_at - one.starts_at for one in spring + autumn] == [timedelta(hours=7), timedelta(hours=9)]


def test_a_local_time_that_is_jumped_over_is_the_jump_itself() -> None:
    early = [plan(HILL, (6, "02:30", "04:00"))]
    found = available(early, [], [], utc("2026-03-29"), utc("2026-03-30"))
    assert shown(found) == [("29 01:00", "29 02:00")]


def test_an_hour_that_comes_twice_is_worked_twice() -> None:
    found = available([plan(HILL, (6, "02:00", "03:00"))], [], [], utc("2026-10-24T12:00"), utc("2026-10-25T12:00"))
    assert shown(found) == [("25 00:00", "25 02:00")]


def test_the_later_plan_an_exception_and_time_off_count() -> None:
    plans = [plan(HILL, (0, "09:00", "13:00")), plan(HILL, (0, "15:00", "19:00"), since=date(2026, 3, 9))]
    special = DayException(date(2026, 3, 16), HILL, (Stretch(start="10:00", end="11:00"),), ROME)
    away = [(utc("2026-03-09T15:00"), utc("2026-03-09T16:00"))]
    found = available(plans, [special], away, utc("2026-03-01"), utc("2026-03-17"))
    assert shown(found) == [
        ("02 08:00", "02 12:00"), ("09 14:00", "09 15:00"), ("09 16:00", "09 18:00"), ("16 09:00", "16 10:00"),
    ]  # fmt: skip


@given(
    start=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)),
    days=st.integers(1, 20),
    zone=st.sampled_from(["Europe/Rome", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", "UTC"]),
    off=st.lists(st.tuples(st.integers(0, 480), st.integers(1, 48)), max_size=4),
)
def test_what_is_answered_lies_in_the_range_in_the_hours_and_never_in_time_off(
    start: datetime, days: int, zone: str, off: list[tuple[int, int]]
) -> None:
    first = start.replace(tzinfo=UTC)
    last = first + timedelta(days=days)
    away = [(first + timedelta(hours=at), first + timedelta(hours=at + length)) for at, length in off]
    weekly = [(day, "08:30", "12:45") for day in range(5)]
    found = available([plan(HILL, *weekly, zone=zone)], [], away, first, last)
    assert found == sorted(found)
    for one in found:
        assert first <= one.starts_at < one.ends_at <= last
        local = [moment.astimezone(ZoneInfo(zone)) for moment in (one.starts_at, one.ends_at)]
        assert local[0].weekday() < 5
        assert local[0].time().isoformat("minutes") >= "08:30"
        assert local[1].time().isoformat("minutes") <= "12:45"
        assert all(one.ends_at <= gone or back <= one.starts_at for gone, back in away)
