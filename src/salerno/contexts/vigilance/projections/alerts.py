"""Alerts as they stand."""

from datetime import datetime
from typing import assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from salerno.contexts.vigilance.events import AlertRaised, AlertReviewed, VigilanceEvent
from salerno.kernel.documents import Documents
from salerno.kernel.messages import Recorded

OWNER_OF_A_CHART = "PATIENT"


class AlertView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`outcome` is empty while nobody has reviewed it."""

    seen: AlertRaised
    outcome: str = ""
    note: str = ""
    reviewed_by: UUID | None = None
    reviewed_at: datetime | None = None

    @property
    def status(self) -> str:
        if self.seen.role == OWNER_OF_A_CHART and self.seen.session is not None:
            return "own"
        return "reviewed" if self.outcome else "open"


def alert_view(before: AlertView | None, item: Recorded[VigilanceEvent]) -> AlertView | None:
    match item.event:
        case AlertRaised() as seen:
            return AlertView(seen=seen)
        case AlertReviewed(outcome=outcome, note=note):
            if before is None:
                return None
            return replace(
                before, outcome=outcome, note=note,
                reviewed_by=item.origin.actor, reviewed_at=item.origin.recorded_at,
            )  # fmt: skip
        case _:
            assert_never(item.event)


ALERTS: Documents[AlertView] = Documents(
    table="alerts",
    kind="vigilance.alert",
    shape=AlertView,
    evolve=alert_view,
    columns=lambda view: {"kind": view.seen.kind, "status": view.status, "at": view.seen.at},
)
