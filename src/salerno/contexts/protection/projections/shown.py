"""The room's own views: the restriction of a chart, and each breaking of the glass."""

from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from salerno.contexts.protection.events import (
    ChartRestricted,
    GlassBroken,
    GlassEnded,
    GlassEvent,
    GlassReviewed,
    Outcome,
    RestrictionChanged,
    RestrictionEvent,
    RestrictionLifted,
    WhyBroken,
    WhyRestricted,
)
from salerno.kernel.database import load_sql
from salerno.kernel.documents import Documents
from salerno.kernel.messages import Recorded

SQL = load_sql("salerno.contexts.protection")


class RestrictionView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    patient: UUID
    reason: WhyRestricted
    note: str = ""
    accounts: tuple[UUID, ...] = ()
    named_only: bool = False
    active: bool = True
    since: datetime
    changed_by: UUID


class GlassView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`until` is when it was to end, `ended_at` when somebody ended it before."""

    glass: UUID
    patient: UUID
    account: UUID
    role: str
    reason: WhyBroken
    explanation: str
    broken_at: datetime
    until: datetime
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    note: str = ""
    reviewed_by: UUID | None = None
    reviewed_at: datetime | None = None


def restriction_view(before: RestrictionView | None, item: Recorded[RestrictionEvent]) -> RestrictionView | None:
    event = item.event
    match event:
        case ChartRestricted():
            return _restricted(event, item, item.origin.recorded_at)
        case RestrictionChanged():
            return _restricted(event, item, before.since if before else item.origin.recorded_at)
        case RestrictionLifted():
            return before and replace(before, active=False, note=event.note, changed_by=item.origin.actor)
        case _:
            assert_never(event)


def _restricted(
    event: ChartRestricted | RestrictionChanged, item: Recorded[RestrictionEvent], since: datetime
) -> RestrictionView:
    return RestrictionView(
        patient=event.patient,
        reason=event.reason,
        note=event.note,
        accounts=event.accounts,
        named_only=event.named_only,
        since=since,
        changed_by=item.origin.actor,
    )


def glass_view(before: GlassView | None, item: Recorded[GlassEvent]) -> GlassView | None:
    event = item.event
    if isinstance(event, GlassBroken):
        return GlassView(
            glass=event.glass,
            patient=event.patient,
            account=event.account,
            role=event.role,
            reason=event.reason,
            explanation=event.explanation,
            broken_at=event.from_,
            until=event.until,
        )
    if before is None:
        return None
    match event:
        case GlassEnded():
            return replace(before, ended_at=item.origin.recorded_at)
        case GlassReviewed():
            reviewed = {"reviewed_by": item.origin.actor, "reviewed_at": item.origin.recorded_at}
            return replace(before, outcome=event.outcome, note=event.note, **reviewed)
        case _:
            assert_never(event)


def restriction_columns(doc: RestrictionView) -> dict[str, Any]:
    return {"active": doc.active, "named_only": doc.named_only, "accounts": list(doc.accounts)}


def glass_columns(doc: GlassView) -> dict[str, Any]:
    return {
        "account": doc.account,
        "reason": doc.reason,
        "broken_at": doc.broken_at,
        "until": doc.ended_at or doc.until,
        "reviewed": doc.outcome is not None,
    }


RESTRICTIONS: Documents[RestrictionView] = Documents(
    table="restrictions",
    kind="protection.restriction",
    shape=RestrictionView,
    evolve=restriction_view,
    columns=restriction_columns,
)
GLASSES: Documents[GlassView] = Documents(
    table="glasses", kind="protection.glass", shape=GlassView, evolve=glass_view, columns=glass_columns
)
