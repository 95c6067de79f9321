"""The search for a free time."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.scheduling.commands import Code, Minutes
from salerno.contexts.scheduling.errors import NoSuchVisitType
from salerno.contexts.scheduling.projections import PEOPLE, SHIPPED, SQL, PersonName, code_of, roster_from
from salerno.contexts.scheduling.queries.shown import practice_of
from salerno.contexts.scheduling.rules.availability import (
    Busy,
    Need,
    Practice,
    Roster,
    Span,
    Window,
    free_starts,
    windows,
)
from salerno.contexts.scheduling.rules.times import instant, local_day
from salerno.kernel.database import Row
from salerno.kernel.errors import Invalid, NotFound
from salerno.kernel.messages import Caller, Query
from salerno.kernel.transactions import Tx

LONGEST = timedelta(days=92)
NO_APPOINTMENT = UUID(int=0)


class FreeSlots(Query):
    """The next free times: of one practitioner, of a specialty, or of everybody who sees patients."""

    doctor_id: UUID | None = None
    specialty: Annotated[str, Meta(max_length=120)] = ""
    visit_type: Code = "consultation"
    duration_minutes: Minutes | None = None
    from_: datetime | None = None
    to: datetime | None = None
    location_id: UUID | None = None
    room_id: UUID | None = None
    patient_id: UUID | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 20


class FreeSlot(Struct, frozen=True, kw_only=True):
    doctor_id: UUID
    doctor_name: str
    starts_at: datetime
    ends_at: datetime
    location_id: UUID | None = None


async def free_slots(tx: Tx, query: FreeSlots, caller: Caller) -> Sequence[FreeSlot]:
    named = query.patient_id
    if named and named != caller.subject and not await tx.bus.permits.carries("scheduling.read", caller, named):
        raise NotFound()
    practice = await practice_of(tx)
    span = _span(tx, query, practice)
    need = await _need(tx, query)
    rows = await _candidates(tx, query)
    names = {named.id: named.name for named in await tx.open_docs(PEOPLE, rows, PersonName)}
    busy = await _busy(tx, query, rows, span)
    shared = [each for id in (query.room_id,) if id for each in busy.get(id, [])]
    plain = Busy(each for id, spans in busy.items() if id == query.patient_id for each in spans)
    found = merge(
        *(
            _free(row["id"], roster_from(row["roster"]), practice, span, need, query, busy, shared, plain)
            for row in rows
        ),
        key=lambda each: (each[0], each[2]),
    )
    return [_slot(need, start, window, id, names.get(id, "")) for start, window, id in islice(found, query.limit)]


def _free(
    practitioner: UUID,
    roster: Roster,
    practice: Practice,
    span: Span,
    need: Need,
    query: FreeSlots,
    busy: dict[UUID, list[Span]],
    shared: list[Span],
    plain: Busy,
) -> Iterator[tuple[datetime, Window, UUID]]:
    days = local_day(span.starts_at, practice.zone), local_day(span.ends_at, practice.zone)
    open_ = windows(roster, practice, *days, query.location_id)
    padded = Busy([*busy.get(practitioner, []), *shared])
    for start, window in free_starts(open_, need, padded, plain):
        if span.starts_at <= start and start + timedelta(minutes=need.minutes) <= span.ends_at:
            yield start, window, practitioner


def _slot(need: Need, start: datetime, window: Window, practitioner: UUID, name: str) -> FreeSlot:
    ends_at = need.visit(start).ends_at
    return FreeSlot(
        doctor_id=practitioner, doctor_name=name, starts_at=start, ends_at=ends_at, location_id=window.location
    )


def _span(tx: Tx, query: FreeSlots, practice: Practice) -> Span:
    """From now for two weeks where nothing else is said; what is past is not offered."""
    starts_at = instant(query.from_, practice.zone, "from")[0] if query.from_ else tx.now
    ends_at = instant(query.to, practice.zone, "to")[0] if query.to else starts_at + timedelta(days=14)
    if ends_at <= starts_at:
        raise Invalid.field("to", "not-after-start", "The end must lie after the beginning.")
    if ends_at - starts_at > LONGEST:
        raise Invalid.field("to", "too-long", f"Ask for at most {LONGEST.days} days at a time.")
    return Span(max(starts_at, tx.now), max(ends_at, tx.now))


async def _need(tx: Tx, query: FreeSlots) -> Need:
    code = code_of(query.visit_type)
    stored = {row["code"]: row for row in await tx.fetch(SQL["visit_types"], tx.organisation)}
    if code in stored:
        row = stored[code]
        if row["retired"]:
            raise NoSuchVisitType()
        return Need(query.duration_minutes or row["minutes"], row["buffer_before"], row["buffer_after"])
    if code not in SHIPPED:
        raise NoSuchVisitType()
    line = SHIPPED[code]
    return Need(query.duration_minutes or line.minutes, line.buffer_before, line.buffer_after)


async def _candidates(tx: Tx, query: FreeSlots) -> list[Row]:
    ids = [query.doctor_id] if query.doctor_id else None
    rows = await tx.fetch(SQL["practitioners"], tx.organisation, ids, query.specialty.casefold() or None)
    named = bool(query.doctor_id or query.specialty)
    return [row for row in rows if row["active"] and (named or row["role"] == "DOCTOR")]


async def _busy(tx: Tx, query: FreeSlots, rows: Sequence[Row], span: Span) -> dict[UUID, list[Span]]:
    resources = [row["id"] for row in rows] + [id for id in (query.room_id, query.patient_id) if id]
    day = timedelta(days=1)
    busy: dict[UUID, list[Span]] = {}
    for row in await tx.fetch(
        SQL["holds_between"], tx.organisation, resources, span.starts_at - day, span.ends_at + day, NO_APPOINTMENT
    ):
        busy.setdefault(row["resource"], []).append(Span(row["starts_at"], row["ends_at"]))
    return busy
