"""What a booking needs to know: who and what it names, when they work, and what is in its way."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from uuid import UUID

from salerno.contexts.scheduling.projections import SHIPPED, SQL, VisitTypeLine, roster_from
from salerno.contexts.scheduling.rules.appointment import Slot, Taken
from salerno.contexts.scheduling.rules.availability import (
    Busy,
    Opening,
    Practice,
    Roster,
    Span,
    free_starts,
    nearest,
    opening,
    windows,
)
from salerno.contexts.scheduling.rules.times import local_day
from salerno.kernel.database import Row
from salerno.kernel.errors import Invalid
from salerno.kernel.transactions import Tx

LOOK_BACK, LOOK_AHEAD = timedelta(days=7), timedelta(days=21)


@dataclass(frozen=True, slots=True)
class Named:
    """Whom and what a booking names."""

    patient: UUID
    practitioner: UUID
    visit_type: str
    room: UUID | None = None
    location: UUID | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """`patient` is the chart that stands for the one named; `charts` are all that were merged into it."""

    patient: UUID
    charts: Sequence[UUID]
    roster: Roster
    practice: Practice
    visit_type: VisitTypeLine
    room_location: UUID | None
    unknown: dict[str, str]

    def demand(self, *fields: str) -> None:
        """Refuse, all at once, what names nobody and nothing here."""
        errors = [
            {"path": field, "code": "unknown", "message": self.unknown[field]}
            for field in fields
            if field in self.unknown
        ]
        if errors:
            raise Invalid(errors=errors)


async def find_out(tx: Tx, named: Named) -> Facts:
    facts = await _look(tx, named)
    if facts.unknown:
        await tx.catch_up()
        facts = await _look(tx, named)
    return facts


async def _look(tx: Tx, named: Named) -> Facts:
    (row,) = await tx.look(
        SQL["booking_facts"], tx.organisation, named.patient, named.practitioner, named.visit_type,
        named.room, named.location,
    )  # fmt: skip
    visit_type = _visit_type(named.visit_type, row)
    return Facts(
        patient=row["patient"] or named.patient,
        charts=row["charts"] or [named.patient],
        roster=roster_from(row["roster"]),
        practice=_practice(row),
        visit_type=visit_type or SHIPPED["consultation"],
        room_location=row["room_location"],
        unknown=dict(_unknown(named, row, visit_type)),
    )


def _practice(row: Row) -> Practice:
    if row["timezone"] is None:
        return Practice()
    return Practice(row["timezone"], row["country"], row["online"], row["days_ahead"])


def _visit_type(code: str, row: Row) -> VisitTypeLine | None:
    if row["minutes"] is None:
        return SHIPPED.get(code)
    if row["retired"]:
        return None
    lengths = {name: row[name] for name in ("minutes", "buffer_before", "buffer_after")}
    return VisitTypeLine(code=code, name_it="", name_en="", kind="", **lengths)


def _unknown(named: Named, row: Row, visit_type: VisitTypeLine | None) -> Iterable[tuple[str, str]]:
    if row["charts"] is None:
        yield "patient_id", "There is no such patient in this organisation."
    if not row["practises"]:
        yield "doctor_id", "There is no such practitioner in this organisation."
    if visit_type is None:
        yield "visit_type", "There is no such visit type. GET /visit-types lists them."
    if named.room and (not row["has_room"] or row["room_retired"]):
        yield "room_id", "There is no such room in this organisation."
    if named.location and not row["has_place"]:
        yield "location_id", "There is no such location in this organisation."


def opening_of(facts: Facts, slot: Slot, place: UUID | None) -> tuple[Opening, UUID | None]:
    """Whether the practitioner works then, and at which place; the room decides the place where none is named."""
    if place and facts.room_location and slot.room and place != facts.room_location:
        raise Invalid.field("room_id", "elsewhere", "This room is at another location.")
    place = place or (facts.room_location if slot.room else None)
    state, found = opening(facts.roster, facts.practice, slot.visit, place)
    return state, place or found


async def find_taken(tx: Tx, appointment: UUID, slot: Slot, charts: Sequence[UUID]) -> list[Taken]:
    """Lock what the slot needs until the end of the transaction, and list every hold in its way."""
    needs = [("practitioner", slot.practitioner, slot.held), *(("patient", chart, slot.visit) for chart in charts)]
    if slot.room is not None:
        needs.append(("room", slot.room, slot.held))
    rows = await tx.fetch(
        SQL["holds_in_the_way"], tx.organisation, appointment,
        [lock_of(tx.organisation, resource) for _, resource, _ in needs],
        [kind for kind, _, _ in needs],
        [resource for _, resource, _ in needs],
        [span.starts_at for _, _, span in needs],
        [span.ends_at for _, _, span in needs],
    )  # fmt: skip
    return [Taken(row["kind"], row["resource"], row["appointment"], row["starts_at"], row["ends_at"]) for row in rows]


def lock_of(organisation: UUID, resource: UUID) -> int:
    return int.from_bytes(blake2b(organisation.bytes + resource.bytes, digest_size=8).digest(), "big", signed=True)


async def nearest_free(tx: Tx, appointment: UUID, slot: Slot, facts: Facts, place: UUID | None) -> list[dict[str, str]]:
    """The three free times nearest to the one that was wished for, with the same people, room and length."""
    first = slot.starts_at - LOOK_BACK
    if slot.starts_at >= tx.now:
        first = max(first, tx.now)
    last = slot.starts_at + LOOK_AHEAD
    padded, plain = await _busy(tx, appointment, slot, facts, Span(first, last))
    zone = facts.practice.zone
    open_ = windows(facts.roster, facts.practice, local_day(first, zone), local_day(last, zone), place)
    found = {start: window for start, window in free_starts(open_, slot.need, padded, plain) if first <= start}
    return [_offer(slot, start, found[start].location) for start in nearest(found, slot.starts_at)]


async def _busy(tx: Tx, appointment: UUID, slot: Slot, facts: Facts, span: Span) -> tuple[Busy, Busy]:
    padded = [slot.practitioner, *([slot.room] if slot.room else [])]
    day = timedelta(days=1)
    rows = await tx.fetch(
        SQL["holds_between"], tx.organisation, [*padded, *facts.charts],
        span.starts_at - day, span.ends_at + day, appointment,
    )  # fmt: skip
    spans = [(row["resource"] in padded, Span(row["starts_at"], row["ends_at"])) for row in rows]
    return Busy(span for is_padded, span in spans if is_padded), Busy(
        span for is_padded, span in spans if not is_padded
    )


def _offer(slot: Slot, start: datetime, location: UUID | None) -> dict[str, str]:
    at = slot.need.visit(start)
    offer = {
        "starts_at": at.starts_at.isoformat().replace("+00:00", "Z"),
        "ends_at": at.ends_at.isoformat().replace("+00:00", "Z"),
        "doctor_id": str(slot.practitioner),
    }
    return offer | ({"location_id": str(location)} if location else {})
