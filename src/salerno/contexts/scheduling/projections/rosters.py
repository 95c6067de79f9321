"""When practitioners work, as the staff room says: one row each, read whole by every booking."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import Any
from uuid import UUID

import msgspec

from salerno.contexts.scheduling.rules.availability import DayException, Hours, Plan, Roster, Stretch, TimeOff
from salerno.contexts.staff.events import (
    AvailabilityExceptionRemoved,
    AvailabilityExceptionSet,
    TimeOffAdded,
    TimeOffRemoved,
    WorkingHoursSet,
)
from salerno.kernel.database import load_sql
from salerno.kernel.messages import Recorded
from salerno.kernel.room import Projection
from salerno.kernel.transactions import Tx

SQL = load_sql("salerno.contexts.scheduling")
DAY = 24 * 60
EMPTY = Roster()
_decode = msgspec.json.Decoder(Roster).decode


def roster_from(stored: str | None) -> Roster:
    return EMPTY if stored is None else _decode(stored)


async def keep(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for practitioner in dict.fromkeys(item.event.staff for item in items):
        before = roster_from(await tx.fetchval(SQL["roster_of"], tx.organisation, practitioner))
        after = reduce(learn, (item.event for item in items if item.event.staff == practitioner), before)
        await tx.run(SQL["keep_roster"], tx.organisation, practitioner, msgspec.json.encode(after).decode())


def learn(roster: Roster, event: Any) -> Roster:
    """The roster after one event of the staff room."""
    match event:
        case WorkingHoursSet():
            return replace(roster, plans=(*roster.plans, _plan(event)))
        case AvailabilityExceptionSet():
            others = _without_exception(roster, event.exception)
            return replace(roster, exceptions=(*others, _exception(event)))
        case AvailabilityExceptionRemoved():
            return replace(roster, exceptions=_without_exception(roster, event.exception))
        case TimeOffAdded():
            off = TimeOff(event.starts_at, event.ends_at, event.time_off)
            return replace(roster, off=(*_without_time_off(roster, event.time_off), off))
        case TimeOffRemoved():
            return replace(roster, off=_without_time_off(roster, event.time_off))
        case _:
            return roster


def _plan(event: WorkingHoursSet) -> Plan:
    hours = tuple(Hours(*_minutes(each.start, each.end), each.weekday) for each in event.hours)
    return Plan(event.location, hours, event.timezone, event.valid_from, event.valid_until)


def _exception(event: AvailabilityExceptionSet) -> DayException:
    stretches = tuple(Stretch(*_minutes(each.start, each.end)) for each in event.stretches)
    return DayException(event.exception, event.location, event.day, stretches, event.timezone)


def _minutes(start: str, end: str) -> tuple[int, int]:
    """An end that is not after the start lies on the next day, as the staff room writes it."""
    opens, closes = _minute(start), _minute(end)
    return opens, closes if closes > opens else closes + DAY


def _minute(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)


def _without_exception(roster: Roster, id: UUID) -> tuple[DayException, ...]:
    return tuple(each for each in roster.exceptions if each.id != id)


def _without_time_off(roster: Roster, id: UUID) -> tuple[TimeOff, ...]:
    return tuple(each for each in roster.off if each.id != id)


ROSTERS = Projection(
    name="scheduling.rosters",
    tables=("rosters",),
    events=(WorkingHoursSet, AvailabilityExceptionSet, AvailabilityExceptionRemoved, TimeOffAdded, TimeOffRemoved),
    apply=keep,
)
