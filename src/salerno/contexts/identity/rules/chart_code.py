"""A code that links an account with a chart: that it was handed out is history, what it says is not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from salerno.contexts.identity.events import ChartCodeIssued
from salerno.kernel.decider import Decider
from salerno.kernel.messages import Origin


@dataclass(frozen=True, slots=True)
class Code:
    """Whether it was handed out."""

    issued: bool = False


@dataclass(frozen=True, slots=True)
class HandOut:
    code: UUID
    patient: UUID
    expires_at: datetime


def decide(state: Code, wish: HandOut, origin: Origin) -> Sequence[ChartCodeIssued]:
    if state.issued:
        return []
    return [ChartCodeIssued(code=wish.code, patient=wish.patient, expires_at=wish.expires_at)]


def evolve(state: Code, event: ChartCodeIssued) -> Code:
    return replace(state, issued=True)


CHART_CODE: Decider[Code, HandOut, ChartCodeIssued] = Decider(
    kind="identity.chart_code", initial=Code(), decide=decide, evolve=evolve, events=ChartCodeIssued
)
