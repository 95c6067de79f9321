"""Working hours as arithmetic: local weeks become moments, exceptions replace days, time off is taken away."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from salerno.contexts.staff.events import Hours, Stretch
from salerno.kernel.errors import Invalid

DAY = 24 * 60
WEEK = 7 * DAY


@dataclass(frozen=True, slots=True)
class Plan:
    """A week of hours at one location, valid from a day on; the later one in a list wins."""

    location: UUID
    hours: tuple[Hours, ...]
    timezone: str
    valid_from: date
    valid_until: date | None

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


@dataclass(frozen=True, slots=True)
class DayException:
    day: date
    location: UUID
    stretches: tuple[Stretch, ...]
    timezone: str


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A stretch of real time, half open, in UTC."""

    starts_at: datetime
    ends_at: datetime
    location: UUID


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def check_timezone(name: str, path: str = "timezone") -> str:
    if name not in _zones():
        raise Invalid.field(path, "unknown-timezone", "This is not a time zone of the IANA database.")
    return name


def minutes_of(text: str) -> int:
    """Minutes after midnight: 24:00 is the end of the day."""
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def span(start: str, end: str) -> tuple[int, int]:
    """Start and end in minutes after midnight of the first day; the end may lie on the next."""
    first, last = minutes_of(start), minutes_of(end)
    return first, last if last > first else last + DAY


def collision(mine: Sequence[Hours], theirs: Sequence[Hours]) -> Hours | None:
    """The first of `mine` that touches the same minutes of the week as one of `theirs`."""
    return next(
        (one for one in mine for other in theirs if one is not other and _touch(one, other)),
        None,
    )


def _touch(one: Hours, other: Hours) -> bool:
    first, second = _in_week(one), _in_week(other)
    return any(first[0] < second[1] + turn and second[0] + turn < first[1] for turn in (-WEEK, 0, WEEK))


def _in_week(hours: Hours) -> tuple[int, int]:
    start, end = span(hours.start, hours.end)
    return hours.weekday * DAY + start, hours.weekday * DAY + end


def plan_of_day(plans: Sequence[Plan], location: UUID, day: date) -> Plan | None:
    """The plan set last for this location that holds on this day."""
    return next(
        (plan for plan in reversed(plans) if plan.location == location and plan.holds_on(day)),
        None,
    )


def available(
    plans: Sequence[Plan],
    exceptions: Iterable[DayException],
    time_off: Iterable[tuple[datetime, datetime]],
    starts_at: datetime,
    ends_at: datetime,
) -> list[Interval]:
    """Where and when somebody works between two moments, in order, in UTC."""
    starts_at, ends_at = starts_at.astimezone(UTC), ends_at.astimezone(UTC)
    special = {(item.day, item.location): item for item in exceptions}
    locations = dict.fromkeys([plan.location for plan in plans] + [location for _, location in special])
    worked = [
        interval
        for location in locations
        for day in _days(starts_at, ends_at)
        for interval in _of_day(plans, special.get((day, location)), location, day)
    ]
    clipped = [cut for interval in worked if (cut := _clip(interval, starts_at, ends_at))]
    for away_from, away_until in time_off:
        gone = away_from.astimezone(UTC), away_until.astimezone(UTC)
        clipped = [rest for interval in clipped for rest in _minus(interval, *gone)]
    return _joined(clipped)


def _days(starts_at: datetime, ends_at: datetime) -> Iterator[date]:
    """Every local day that can touch the range, whatever the time zone and night shift."""
    day, last = (
        (starts_at - timedelta(days=2)).date(),
        (ends_at + timedelta(days=1)).date(),
    )
    while day <= last:
        yield day
        day += timedelta(days=1)


def _of_day(plans: Sequence[Plan], special: DayException | None, location: UUID, day: date) -> Iterator[Interval]:
    if special is not None:
        yield from (_real(day, one.start, one.end, special.timezone, location) for one in special.stretches)
    elif plan := plan_of_day(plans, location, day):
        yield from (
            _real(day, one.start, one.end, plan.timezone, location)
            for one in plan.hours
            if one.weekday == day.weekday()
        )


def _real(day: date, start: str, end: str, timezone: str, location: UUID) -> Interval:
    zone = ZoneInfo(timezone)
    first, last = span(start, end)
    return Interval(_moment(day, first, zone, fold=0), _moment(day, last, zone, fold=1), location)


def _moment(day: date, minutes: int, zone: ZoneInfo, fold: int) -> datetime:
    """A local time as a moment. When clocks go back a shift covers both hours; a skipped time is when they jump."""
    days, minute = divmod(minutes, DAY)
    wall = datetime.combine(day + timedelta(days=days), time(minute // 60, minute % 60), tzinfo=zone)
    if _skipped(wall):
        return _jump(wall, zone)
    return wall.replace(fold=fold).astimezone(UTC)


def _skipped(wall: datetime) -> bool:
    """Whether clocks jump over this local time: the offset before the jump is the smaller one."""
    before, after = wall.replace(fold=0).utcoffset(), wall.replace(fold=1).utcoffset()
    return before is not None and after is not None and before < after


def _jump(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment at which a clock jumps over this local time."""
    low = wall.replace(fold=1).astimezone(UTC)
    high = wall.replace(fold=0).astimezone(UTC)
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(minutes=1):
        middle = low + (high - low) / 2
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high.replace(second=0, microsecond=0)


def _clip(interval: Interval, starts_at: datetime, ends_at: datetime) -> Interval | None:
    first, last = max(interval.starts_at, starts_at), min(interval.ends_at, ends_at)
    return Interval(first, last, interval.location) if first < last else None


def _minus(interval: Interval, away_from: datetime, away_until: datetime) -> Iterator[Interval]:
    if away_until <= interval.starts_at or interval.ends_at <= away_from:
        yield interval
        return
    if interval.starts_at < away_from:
        yield Interval(interval.starts_at, away_from, interval.location)
    if away_until < interval.ends_at:
        yield Interval(away_until, interval.ends_at, interval.location)


def _joined(intervals: Iterable[Interval]) -> list[Interval]:
    """In order, with stretches that touch at the same location made one."""
    joined: list[Interval] = []
    for interval in sorted(intervals, key=lambda one: (str(one.location), one.starts_at)):
        last = joined[-1] if joined else None
        if last and last.location == interval.location and interval.starts_at <= last.ends_at:
            joined[-1] = Interval(last.starts_at, max(last.ends_at, interval.ends_at), last.location)
        else:
            joined.append(interval)
    return sorted(joined)
