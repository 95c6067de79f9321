"""When a member of staff works, and whether a moment lies far outside of that."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

LEEWAY = timedelta(hours=2)  # people come early, and write their notes when the last patient has gone
NIGHT_FROM, NIGHT_UNTIL = 22, 6


@dataclass(frozen=True, slots=True)
class Stretch:
    """Minutes from midnight; an end beyond 24 hours lies on the next day."""

    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class WeekDay:
    """What one weekday (0 is Monday) holds."""

    weekday: int
    stretch: Stretch


@dataclass(frozen=True, slots=True)
class Plan:
    location: UUID
    days: tuple[WeekDay, ...]
    zone: str
    valid_from: date
    valid_until: date | None = None

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


@dataclass(frozen=True, slots=True)
class Exceptional:
    """On this day, at this place, these stretches instead."""

    id: UUID
    location: UUID
    day: date
    stretches: tuple[Stretch, ...]
    zone: str


@dataclass(frozen=True, slots=True)
class Hours:
    """Everything that is planned for one member of staff, oldest first."""

    plans: tuple[Plan, ...] = ()
    exceptions: tuple[Exceptional, ...] = ()


def is_outside(hours: Hours, at: datetime) -> bool | None:
    """Whether `at` lies more than two hours from everything planned; None where nothing is planned at that time."""
    day = at.date()
    if not any(plan.holds_on(day) for plan in hours.plans):
        return None
    near = (start - LEEWAY <= at <= end + LEEWAY for start, end in _around(hours, day))
    return not any(near)


def is_night(at: datetime, zone: str) -> bool:
    """Between ten in the evening and six in the morning, by the clocks of the place."""
    hour = at.astimezone(ZoneInfo(zone)).hour
    return hour >= NIGHT_FROM or hour < NIGHT_UNTIL


def _around(hours: Hours, day: date) -> Iterator[tuple[datetime, datetime]]:
    """What is worked from the day before to the day after, as moments."""
    for shift in (-2, -1, 0, 1, 2):
        yield from _of_day(hours, day + timedelta(days=shift))


def _of_day(hours: Hours, day: date) -> Iterator[tuple[datetime, datetime]]:
    instead = {one.location: one for one in hours.exceptions if one.day == day}
    latest = {plan.location: plan for plan in hours.plans if plan.holds_on(day)}
    for one in instead.values():
        yield from _moments(day, one.stretches, one.zone)
    for location, plan in latest.items():
        if location not in instead:
            weekly = [each.stretch for each in plan.days if each.weekday == day.weekday()]
            yield from _moments(day, weekly, plan.zone)


def _moments(day: date, stretches: Sequence[Stretch], zone: str) -> Iterator[tuple[datetime, datetime]]:
    midnight = datetime.combine(day, time(), ZoneInfo(zone))
    for stretch in stretches:
        yield midnight + timedelta(minutes=stretch.opens), midnight + timedelta(minutes=stretch.closes)
