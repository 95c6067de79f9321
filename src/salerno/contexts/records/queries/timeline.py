"""The history of a record line by line, now or as of a moment."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta

from salerno.contexts.records.events import Instant
from salerno.contexts.records.projections import SECTIONS, SQL
from salerno.contexts.records.queries.lines import RecordLine, record_line
from salerno.contexts.records.queries.whose import charts_of, told
from salerno.kernel.documents import Documents, Held, as_of_all
from salerno.kernel.messages import Caller, Disclosure, Query
from salerno.kernel.transactions import Tx

TimelineKind: TypeAlias = Literal[
    "problem", "allergy", "vitals", "immunization", "procedure", "report", "care_plan", "observation"
]
TOLD = tuple(shelf for shelf in SECTIONS if shelf.table not in ("histories", "goals"))


class RecordTimeline(Query):
    """Entries of every kind or of one, newest first, after the line at `before` whose id is `beyond`.

    With `moment`, what had been recorded by then; `by_source` follows the source's recording dates.
    """

    patient_id: UUID
    limit: Annotated[int, Meta(ge=1, le=500)] = 50
    before: Instant | None = None
    beyond: UUID | None = None
    kind: TimelineKind | None = None
    moment: Instant | None = None
    by_source: bool = False


async def record_timeline(tx: Tx, query: RecordTimeline, caller: Caller) -> Disclosure[list[RecordLine]]:
    charts = await charts_of(tx, query.patient_id)
    shelves = [shelf for shelf in TOLD if query.kind in (None, _kind(shelf))]
    if query.moment is None:
        held = await _newest_held(tx, charts, query, shelves)
    else:
        held = await as_of_all(tx, shelves, charts, query.moment, by_source=query.by_source)
    lines = [
        record_line(_kind(shelf), one)
        for shelf, found in zip(shelves, held, strict=True)
        for one in found
        if not one.doc.in_error and not getattr(one.doc.content, "none_known", False)
    ]
    return told(_turn(lines, query), charts, caller)


async def _newest_held(
    tx: Tx, charts: Sequence[UUID], query: RecordTimeline, shelves: Sequence[Documents[Any]]
) -> list[list[Held[Any]]]:
    part = shelves[0].table if query.kind else None
    wanted = (query.before, query.limit, query.beyond, part)
    rows = await tx.fetch(SQL["timeline"], tx.organisation, list(charts), *wanted)
    return [await shelf.open(tx, [row for row in rows if row["part"] == shelf.table]) for shelf in shelves]


def _turn(lines: list[RecordLine], query: RecordTimeline) -> list[RecordLine]:
    """This page of the lines: the order is time backwards, then id."""
    before = (-query.before.timestamp(), query.beyond or UUID(int=2**128 - 1)) if query.before else None
    rest = [line for line in lines if before is None or (-line.at.timestamp(), line.id) > before]
    return sorted(rest, key=lambda line: (-line.at.timestamp(), line.id))[: query.limit]


def _kind(shelf: Documents[Any]) -> str:
    return shelf.kind.removeprefix("records.")
