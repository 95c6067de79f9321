"""The day and the week: practitioners side by side, when they work and who is expected."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.scheduling.projections import APPOINTMENTS, PEOPLE, SQL, PersonName, roster_from
from salerno.contexts.scheduling.queries.shown import AppointmentItem, item_of, names_of, practice_of, subjects_of
from salerno.contexts.scheduling.rules.availability import Practice, windows
from salerno.contexts.scheduling.rules.closing_days import closing_days
from salerno.contexts.scheduling.rules.times import FIRST_YEAR, LAST_YEAR, day_bounds
from salerno.kernel.database import Row
from salerno.kernel.errors import Invalid
from salerno.kernel.messages import Caller, Disclosure, Query
from salerno.kernel.transactions import Tx
from salerno.kernel.wards import is_shown

MOST = 5000
LONGEST = timedelta(days=41)
SEES_PATIENTS = ("DOCTOR", "NURSE")
Ids = Annotated[tuple[UUID, ...], Meta(max_length=200)]


class DayCalendar(Query):
    """A local day. Without `doctor_ids`, of every practitioner who sees patients."""

    day: date
    doctor_ids: Ids = ()


class WeekCalendar(Query):
    """The local days from `first` to `last`, both included: at most six weeks."""

    first: date
    last: date
    doctor_ids: Ids = ()


class WorkingWindow(Struct, frozen=True, kw_only=True):
    starts_at: datetime
    ends_at: datetime
    location_id: UUID | None = None


class CalendarPractitioner(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    specialty: str
    windows: tuple[WorkingWindow, ...]


class TakenTime(Struct, frozen=True, kw_only=True):
    """A time that is taken by somebody of whom the caller may not learn."""

    doctor_id: UUID
    starts_at: datetime
    ends_at: datetime
    room_id: UUID | None = None


class Calendar(Struct, frozen=True, kw_only=True):
    """`closing_days` are public holidays; cancelled appointments are not shown; `cut` says that there are too many."""

    first: date
    last: date
    timezone: str
    opens: str
    closes: str
    practitioners: Sequence[CalendarPractitioner]
    appointments: Sequence[AppointmentItem]
    closing_days: dict[date, str]
    taken: Sequence[TakenTime] = ()
    cut: bool = False


async def day_calendar(tx: Tx, query: DayCalendar, caller: Caller) -> Disclosure[Calendar]:
    return await _calendar(tx, query.day, query.day, query.doctor_ids)


async def week_calendar(tx: Tx, query: WeekCalendar, caller: Caller) -> Disclosure[Calendar]:
    if query.last < query.first:
        raise Invalid.field("last", "not-after-start", "The last day must not lie before the first.")
    if query.last - query.first > LONGEST:
        raise Invalid.field("last", "too-long", "Ask for at most six weeks at a time.")
    return await _calendar(tx, query.first, query.last, query.doctor_ids)


async def _calendar(tx: Tx, first: date, last: date, ids: Sequence[UUID]) -> Disclosure[Calendar]:
    if first.year < FIRST_YEAR or last.year > LAST_YEAR:
        raise Invalid.field("day", "out-of-range", f"The year must lie between {FIRST_YEAR} and {LAST_YEAR}.")
    practice = await practice_of(tx)
    starts_at, ends_at = day_bounds(first, last, practice.zone)
    rows = await tx.fetch(SQL["calendar"], tx.organisation, starts_at, ends_at, list(ids) or None, MOST + 1)
    held = await APPOINTMENTS.open(tx, [row for row in rows[:MOST] if is_shown(tx, row["subject"])])
    taken = [_taken(row) for row in rows[:MOST] if not is_shown(tx, row["subject"])]
    names = await names_of(tx, (id for each in held for id in (each.doc.patient, each.doc.practitioner)))
    items = [item_of(each, names) for each in held]
    busy = {item.doctor_id for item in items} | {each.doctor_id for each in taken}
    calendar = Calendar(
        first=first,
        last=last,
        timezone=practice.zone.key,
        opens=practice.opens,
        closes=practice.closes,
        practitioners=await _practitioners(tx, practice, first, last, ids, busy),
        appointments=items,
        closing_days=_closing_days(practice, first, last),
        taken=taken,
        cut=len(rows) > MOST,
    )
    return Disclosure(value=calendar, subjects=subjects_of(items))


def _taken(row: Row) -> TakenTime:
    """From readable columns alone: what is hidden is not even opened."""
    practitioner, room = UUID(bytes=row["practitioner"].bytes), row["room"]
    return TakenTime(
        doctor_id=practitioner,
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        room_id=room and UUID(bytes=room.bytes),
    )


async def _practitioners(
    tx: Tx, practice: Practice, first: date, last: date, ids: Sequence[UUID], busy: set[UUID]
) -> list[CalendarPractitioner]:
    """Whoever was asked for; otherwise those who see patients, and those who have appointments all the same."""
    rows = await tx.fetch(SQL["practitioners"], tx.organisation, list(ids) or None, None)
    wanted = [row for row in rows if ids or row["id"] in busy or (row["active"] and row["role"] in SEES_PATIENTS)]
    names = {named.id: named for named in await tx.open_docs(PEOPLE, wanted, PersonName)}
    found = [
        CalendarPractitioner(
            id=named.id,
            name=named.name,
            specialty=named.specialty,
            windows=tuple(
                WorkingWindow(starts_at=each.starts_at, ends_at=each.ends_at, location_id=each.location)
                for each in windows(roster_from(row["roster"]), practice, first, last)
            ),
        )
        for row in wanted
        if (named := names.get(row["id"]))
    ]
    return sorted(found, key=lambda each: (each.name.casefold(), each.id))


def _closing_days(practice: Practice, first: date, last: date) -> dict[date, str]:
    if not practice.country:
        return {}
    years = range(first.year, last.year + 1)
    return {
        day: name
        for year in years
        for day, name in closing_days(practice.country, year).items()
        if first <= day <= last
    }
