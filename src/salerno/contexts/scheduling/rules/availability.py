"""When a practitioner works, and which of that is still free."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from salerno.contexts.scheduling.rules.closing_days import is_closing_day
from salerno.contexts.scheduling.rules.times import at_minute, local_day, zone_named

STEP = timedelta(minutes=15)


class Opening(StrEnum):
    """Whether a time lies within working hours, and if not, why."""

    OPEN = "open"
    HOURS = "hours"
    TIME_OFF = "time-off"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class Span:
    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: "Span") -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


@dataclass(frozen=True, slots=True)
class Window(Span):
    """A stretch of working time at a location."""

    location: UUID | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Working time in minutes after a local midnight; an end past 1440 lies on the next day."""

    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class Hours(Stretch):
    """A stretch of every such weekday; 0 is Monday."""

    weekday: int


OFFICE_HOURS = Stretch(8 * 60, 19 * 60)


@dataclass(frozen=True, slots=True)
class Plan:
    """A week of hours at one location. Of several that hold on a day, the one set last counts."""

    location: UUID
    hours: tuple[Hours, ...]
    timezone: str
    valid_from: date
    valid_until: date | None = None

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


@dataclass(frozen=True, slots=True)
class DayException:
    """What replaces the weekly hours of one location on one day."""

    id: UUID
    location: UUID
    day: date
    stretches: tuple[Stretch, ...]
    timezone: str


@dataclass(frozen=True, slots=True)
class TimeOff(Span):
    id: UUID


@dataclass(frozen=True, slots=True)
class Roster:
    """What is known of one practitioner's time.

    Where no hours were ever set, office hours from Monday to Friday are offered and none is refused.
    """

    plans: tuple[Plan, ...] = ()
    exceptions: tuple[DayException, ...] = ()
    off: tuple[TimeOff, ...] = ()

    @property
    def hours_known(self) -> bool:
        return bool(self.plans) or bool(self.exceptions)


@dataclass(frozen=True, slots=True)
class Practice:
    """Where the organisation is, whose holidays it keeps, and what its patients may do by themselves."""

    timezone: str = ""
    country: str = ""
    online: bool = False
    days_ahead: int = 90
    opens: str = "08:00"
    closes: str = "20:00"

    @property
    def zone(self) -> ZoneInfo:
        return zone_named(self.timezone)


def windows(roster: Roster, practice: Practice, first: date, last: date, location: UUID | None = None) -> list[Window]:
    """The working time of the days from first to last, less time off."""
    every = [window for day in _days(first, last) for window in _windows_of(roster, practice, day)]
    wanted = [window for window in every if location is None or window.location in (None, location)]
    return [part for window in _joined(wanted) for part in _less(window, roster.off)]


def opening(
    roster: Roster, practice: Practice, visit: Span, location: UUID | None = None
) -> tuple[Opening, UUID | None]:
    """Whether the practitioner works throughout a visit, and where."""
    if any(visit.overlaps(span) for span in roster.off):
        return Opening.TIME_OFF, None
    if not roster.hours_known:
        return Opening.OPEN, None
    day = local_day(visit.starts_at, practice.zone)
    for window in windows(roster, practice, day - timedelta(days=1), day + timedelta(days=1), location):
        if window.starts_at <= visit.starts_at and visit.ends_at <= window.ends_at:
            return Opening.OPEN, window.location
    return (Opening.HOLIDAY if is_closing_day(practice.country, day) else Opening.HOURS), None


@dataclass(frozen=True, slots=True)
class Need:
    """How much time a visit takes, with what must stay free around it for practitioner and room."""

    minutes: int
    before: int = 0
    after: int = 0

    def visit(self, starts_at: datetime) -> Span:
        return Span(starts_at, starts_at + timedelta(minutes=self.minutes))

    def held(self, starts_at: datetime) -> Span:
        visit = self.visit(starts_at)
        return Span(visit.starts_at - timedelta(minutes=self.before), visit.ends_at + timedelta(minutes=self.after))


class Busy:
    """Spans in order, for the question whether another one meets any of them."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._starts: list[datetime] = []
        self._ends: list[datetime] = []
        for span in sorted(spans, key=lambda each: each.starts_at):
            if self._ends and span.starts_at <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], span.ends_at)
            else:
                self._starts.append(span.starts_at)
                self._ends.append(span.ends_at)

    def meets(self, span: Span) -> bool:
        following = bisect_right(self._ends, span.starts_at)
        return following < len(self._starts) and self._starts[following] < span.ends_at


def free_starts(open_: Sequence[Window], need: Need, padded: Busy, plain: Busy) -> Iterator[tuple[datetime, Window]]:
    """Every quarter of an hour at which the visit fits. The patient's other visits (`plain`) need no buffer."""
    length = timedelta(minutes=need.minutes)
    for window in open_:
        start = _on_the_grid(window.starts_at)
        while start + length <= window.ends_at:
            if not padded.meets(need.held(start)) and not plain.meets(need.visit(start)):
                yield start, window
            start += STEP


def nearest(starts: Iterable[datetime], wanted: datetime, count: int = 3) -> list[datetime]:
    """The closest starts to the wanted one, earlier or later, in order of time."""
    return sorted(sorted(starts, key=lambda start: (abs(start - wanted), start))[:count])


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _windows_of(roster: Roster, practice: Practice, day: date) -> Iterator[Window]:
    if not roster.hours_known:
        if day.weekday() < 5 and not is_closing_day(practice.country, day):
            yield from _real(day, [OFFICE_HOURS], practice.timezone, None)
        return
    special = {each.location: each for each in roster.exceptions if each.day == day}
    for exception in special.values():
        yield from _real(day, exception.stretches, exception.timezone, exception.location)
    if is_closing_day(practice.country, day):
        return
    plans = {plan.location: plan for plan in roster.plans if plan.holds_on(day)}
    for location, plan in plans.items():
        if location not in special:
            todays = [hours for hours in plan.hours if hours.weekday == day.weekday()]
            yield from _real(day, todays, plan.timezone, location)


def _real(day: date, stretches: Iterable[Stretch], timezone: str, location: UUID | None) -> Iterator[Window]:
    zone = zone_named(timezone)
    for stretch in stretches:
        starts_at, ends_at = at_minute(day, stretch.opens, zone), at_minute(day, stretch.closes, zone)
        if starts_at < ends_at:
            yield Window(starts_at, ends_at, location)


def _joined(parts: Iterable[Window]) -> list[Window]:
    """Adjoining windows of one location become one: a visit may run from one into the next."""
    joined: list[Window] = []
    for part in sorted(parts, key=lambda each: (str(each.location), each.starts_at)):
        if joined and joined[-1].location == part.location and part.starts_at <= joined[-1].ends_at:
            joined[-1] = Window(joined[-1].starts_at, max(joined[-1].ends_at, part.ends_at), part.location)
        else:
            joined.append(part)
    return sorted(joined, key=lambda each: each.starts_at)


def _less(window: Window, off: Sequence[Span]) -> Iterator[Window]:
    start = window.starts_at
    for span in sorted((each for each in off if each.overlaps(window)), key=lambda each: each.starts_at):
        if start < span.starts_at:
            yield Window(start, span.starts_at, window.location)
        start = max(start, span.ends_at)
    if start < window.ends_at:
        yield Window(start, window.ends_at, window.location)


def _on_the_grid(moment: datetime) -> datetime:
    """The next quarter of an hour; every zone in use today is a multiple of it away from UTC."""
    past = (moment - datetime(2000, 1, 1, tzinfo=UTC)) % STEP
    return moment + (STEP - past) if past else moment
