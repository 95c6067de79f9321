"""Working hours as instants, clock changes included."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from salerno.contexts.scheduling.errors import NoSuchTime
from salerno.contexts.scheduling.rules.availability import (
    Busy,
    DayException,
    Hours,
    Need,
    Opening,
    Plan,
    Practice,
    Roster,
    Span,
    Stretch,
    TimeOff,
    free_starts,
    nearest,
    opening,
    windows,
)
from salerno.contexts.scheduling.rules.closing_days import closing_days
from salerno.contexts.scheduling.rules.times import FIRST_OF_TWO, day_bounds, instant
from salerno.kernel.errors import Invalid

HERE, THERE = UUID(int=1), UUID(int=2)
ROME = ZoneInfo("Europe/Rome")
ITALY = Practice("Europe/Rome", "IT")
MONDAY = date(2026, 3, 2)
MORNINGS = Plan(HERE, tuple(Hours(9 * 60, 13 * 60, day) for day in range(5)), "Europe/Rome", date(2026, 1, 1))
ROSTER = Roster(plans=(MORNINGS,))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_a_local_morning_is_an_hour_earlier_in_utc_in_winter_and_two_in_summer() -> None:
    [winter] = windows(ROSTER, ITALY, MONDAY, MONDAY)
    [summer] = windows(ROSTER, ITALY, date(2026, 7, 6), date(2026, 7, 6))
    assert (winter.starts_at, winter.ends_at) == (at("2026-03-02T08:00Z"), at("2026-03-02T12:00Z"))
    assert (summer.starts_at, summer.ends_at) == (at("2026-07-06T07:00Z"), at("2026-07-06T11:00Z"))
    assert winter.location == HERE


def test_the_plan_set_last_counts() -> None:
    later = Plan(HERE, (Hours(15 * 60, 17 * 60, 0),), "Europe/Rome", MONDAY)
    [window] = windows(Roster(plans=(MORNINGS, later)), ITALY, MONDAY, MONDAY)
    assert window.starts_at == at("2026-03-02T14:00Z")
    [before] = windows(Roster(plans=(MORNINGS, later)), ITALY, date(2026, 2, 23), date(2026, 2, 23))
    assert before.starts_at == at("2026-02-23T08:00Z")


def test_an_exception_replaces_the_day_at_its_place_only() -> None:
    closed = DayException(UUID(int=9), HERE, MONDAY, (), "Europe/Rome")
    elsewhere = Plan(THERE, (Hours(15 * 60, 18 * 60, 0),), "Europe/Rome", date(2026, 1, 1))
    [window] = windows(Roster((MORNINGS, elsewhere), (closed,)), ITALY, MONDAY, MONDAY)
    assert window.location == THERE


def test_time_off_cuts_a_morning_in_two() -> None:
    off = TimeOff(at("2026-03-02T09:00Z"), at("2026-03-02T10:00Z"), UUID(int=3))
    found = windows(Roster((MORNINGS,), (), (off,)), ITALY, MONDAY, MONDAY)
    assert [(each.starts_at.hour, each.ends_at.hour) for each in found] == [(8, 9), (10, 12)]


def test_a_night_shift_runs_into_the_next_day() -> None:
    night = Plan(HERE, (Hours(22 * 60, 30 * 60, 0),), "Europe/Rome", date(2026, 1, 1))
    visit = Span(at("2026-03-03T02:00Z"), at("2026-03-03T02:30Z"))
    assert opening(Roster(plans=(night,)), ITALY, visit) == (Opening.OPEN, HERE)


def test_public_holidays_are_closed_unless_an_exception_opens_them() -> None:
    easter_monday = date(2026, 4, 6)
    visit = Span(at("2026-04-06T08:00Z"), at("2026-04-06T08:30Z"))
    assert windows(ROSTER, ITALY, easter_monday, easter_monday) == []
    assert opening(ROSTER, ITALY, visit) == (Opening.HOLIDAY, None)
    on_duty = DayException(UUID(int=9), HERE, easter_monday, (Stretch(8 * 60, 12 * 60),), "Europe/Rome")
    assert opening(Roster((MORNINGS,), (on_duty,)), ITALY, visit) == (Opening.OPEN, HERE)


def test_holidays_of_one_year_stay_those_of_one_year() -> None:
    before = dict(closing_days("IT", 2026))
    closing_days("IT", 2031)
    assert dict(closing_days("IT", 2026)) == before and all(day.year == 2026 for day in before)
    assert date(2026, 8, 15) in before and not closing_days("ZZ", 2026)


@pytest.mark.parametrize(
    ("visit", "state"),
    [
        (("2026-03-02T08:00Z", "2026-03-02T08:30Z"), Opening.OPEN),
        (("2026-03-02T11:45Z", "2026-03-02T12:15Z"), Opening.HOURS),
        (("2026-03-02T07:45Z", "2026-03-02T08:15Z"), Opening.HOURS),
        (("2026-03-07T08:00Z", "2026-03-07T08:30Z"), Opening.HOURS),
    ],
)
def test_the_whole_visit_must_lie_within_working_hours(visit: tuple[str, str], state: Opening) -> None:
    assert opening(ROSTER, ITALY, Span(*map(at, visit)))[0] is state


def test_where_no_hours_were_set_office_hours_are_offered_and_none_is_refused() -> None:
    [window] = windows(Roster(), ITALY, MONDAY, MONDAY)
    assert (window.starts_at, window.ends_at) == (at("2026-03-02T07:00Z"), at("2026-03-02T18:00Z"))
    assert opening(Roster(), ITALY, Span(at("2026-03-01T03:00Z"), at("2026-03-01T04:00Z")))[0] is Opening.OPEN


def test_free_times_keep_the_buffers_of_what_is_booked_and_of_what_is_wished() -> None:
    booked = Busy([Span(at("2026-03-02T09:00Z"), at("2026-03-02T09:35Z"))])
    starts = [
        start.astimezone(UTC).strftime("%H:%M")
        for start, _ in free_starts(windows(ROSTER, ITALY, MONDAY, MONDAY), Need(45, 5, 10), booked, Busy([]))
    ]
    assert starts == ["08:00", "09:45", "10:00", "10:15", "10:30", "10:45", "11:00", "11:15"]


def test_the_patients_other_visits_need_no_buffer() -> None:
    other = Busy([Span(at("2026-03-02T08:00Z"), at("2026-03-02T09:00Z"))])
    first, _ = next(free_starts(windows(ROSTER, ITALY, MONDAY, MONDAY), Need(30, 10, 10), Busy([]), other))
    assert first == at("2026-03-02T09:00Z")


def test_the_nearest_three_are_in_order_of_time() -> None:
    starts = [at(f"2026-03-02T{hour:02}:00Z") for hour in (7, 8, 10, 12, 15)]
    assert [each.hour for each in nearest(starts, at("2026-03-02T11:00Z"))] == [8, 10, 12]


def test_a_local_time_without_an_offset_is_that_of_the_organisation() -> None:
    assert instant(datetime(2026, 3, 2, 9), ROME) == (at("2026-03-02T08:00Z"), "")
    assert instant(at("2026-03-02T09:00+02:00"), ROME) == (at("2026-03-02T07:00Z"), "")


def test_a_time_that_the_clock_change_skips_is_refused() -> None:
    with pytest.raises(NoSuchTime):
        instant(datetime(2026, 3, 29, 2, 30), ROME)


def test_of_an_ambiguous_time_the_first_is_taken_and_said_so() -> None:
    assert instant(datetime(2026, 10, 25, 2, 30), ROME) == (at("2026-10-25T00:30Z"), FIRST_OF_TWO)


@pytest.mark.parametrize("year", [1, 1999, 2101, 9999])
def test_a_year_out_of_range_is_refused(year: int) -> None:
    with pytest.raises(Invalid):
        instant(datetime(year, 1, 1, tzinfo=UTC), ROME)


def test_a_day_lasts_as_long_as_the_clock_says() -> None:
    lengths = [day_bounds(day, day, ROME) for day in (date(2026, 3, 29), date(2026, 3, 30), date(2026, 10, 25))]
    assert [(end - start).total_seconds() / 3600 for start, end in lengths] == [23, 24, 25]


SPANS = some.tuples(some.integers(0, 500), some.integers(1, 60)).map(
    lambda pair: Span(
        at("2026-03-02T08:00Z") + timedelta(minutes=pair[0]), at("2026-03-02T08:00Z") + timedelta(minutes=sum(pair))
    )
)


@given(some.lists(SPANS, max_size=20), SPANS)
def test_busy_agrees_with_looking_at_every_span(spans: list[Span], asked: Span) -> None:
    assert Busy(spans).meets(asked) is any(span.overlaps(asked) for span in spans)


@given(some.dates(date(2026, 3, 20), date(2026, 11, 5)), some.integers(0, 1439))
def test_every_offered_time_is_one_that_may_be_booked(day: date, minute: int) -> None:
    plan = Plan(
        HERE, tuple(Hours(minute, minute + 120, weekday) for weekday in range(7)), "Europe/Rome", date(2026, 1, 1)
    )
    roster = Roster(plans=(plan,))
    for start, _ in free_starts(windows(roster, ITALY, day, day), Need(30), Busy([]), Busy([])):
        assert opening(roster, ITALY, Need(30).visit(start)) == (Opening.OPEN, HERE)
