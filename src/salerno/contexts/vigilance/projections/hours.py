"""When members of staff work, as the staff room says: one row each."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

import msgspec

from salerno.contexts.staff.events import (
    AvailabilityExceptionRemoved,
    AvailabilityExceptionSet,
    WorkingHoursSet,
)
from salerno.contexts.vigilance.rules.hours import Exceptional, Hours, Plan, Stretch, WeekDay
from salerno.kernel.database import load_sql
from salerno.kernel.messages import Recorded
from salerno.kernel.room import Projection
from salerno.kernel.transactions import Tx

SQL = load_sql("salerno.contexts.vigilance")
DAY = 24 * 60
_decode = msgspec.json.Decoder(Hours).decode


def hours_from(stored: str) -> Hours:
    return _decode(stored)


async def keep(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for staff, subject in {item.event.staff: item.subject for item in items}.items():
        rows = await tx.fetch(SQL["hours"], tx.organisation, [staff])
        before = hours_from(rows[0]["planned"]) if rows else Hours()
        after = reduce(learn, (item.event for item in items if item.event.staff == staff), before)
        await tx.run(SQL["keep_hours"], tx.organisation, staff, subject, msgspec.json.encode(after).decode())


def learn(hours: Hours, event: Any) -> Hours:
    """What is planned after one event of the staff room."""
    match event:
        case WorkingHoursSet():
            days = tuple(WeekDay(each.weekday, _stretch(each.start, each.end)) for each in event.hours)
            plan = Plan(event.location, days, event.timezone, event.valid_from, event.valid_until)
            return replace(hours, plans=(*hours.plans, plan))
        case AvailabilityExceptionSet():
            stretches = tuple(_stretch(each.start, each.end) for each in event.stretches)
            made = Exceptional(event.exception, event.location, event.day, stretches, event.timezone)
            return replace(hours, exceptions=(*_without(hours, event), made))
        case AvailabilityExceptionRemoved():
            return replace(hours, exceptions=_without(hours, event))
        case _:
            return hours


def _without(hours: Hours, event: Any) -> tuple[Exceptional, ...]:
    return tuple(one for one in hours.exceptions if one.id != event.exception)


def _stretch(start: str, end: str) -> Stretch:
    """An end that is not after the start lies on the next day, as the staff room writes it."""
    opens, closes = _minute(start), _minute(end)
    return Stretch(opens, closes if closes > opens else closes + DAY)


def _minute(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)


HOURS = Projection(
    name="vigilance.hours",
    tables=("hours",),
    events=(WorkingHoursSet, AvailabilityExceptionSet, AvailabilityExceptionRemoved),
    apply=keep,
)
