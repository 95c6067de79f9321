"""For tests: given events, when a command, then events."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from salerno.kernel.clock import SystemClock
from salerno.kernel.decider import Decider
from salerno.kernel.errors import Refused
from salerno.kernel.messages import Event, Origin

S = TypeVar("S")
C = TypeVar("C")
E = TypeVar("E", bound=Event)

SOMEBODY = UUID("00000000-0000-7000-8000-00000000000a")
SOMEWHERE = UUID("00000000-0000-7000-8000-00000000000b")
THEN = datetime(2026, 3, 2, 9, tzinfo=UTC)
ORIGIN = Origin(
    actor=SOMEBODY, organisation=SOMEWHERE, recorded_at=THEN, happened_at=THEN, correlation=SOMEBODY, role="DOCTOR"
)


class MovableClock:
    """The real clock until a test sets it."""

    def __init__(self) -> None:
        self._at: datetime | None = None

    def now(self) -> datetime:
        return self._at.astimezone(UTC) if self._at else SystemClock().now()

    def set(self, at: datetime | None) -> None:
        self._at = at


@dataclass(frozen=True)
class Scenario(Generic[S, C, E]):
    """`Scenario(DECIDER).given(…).when(command).then(…)`, with `by(origin)` where who and when matter."""

    decider: Decider[S, C, E]
    past: tuple[Any, ...] = ()
    origin: Origin = ORIGIN
    command: Any = None

    def given(self, *events: Any) -> "Scenario[S, C, E]":
        return replace(self, past=(*self.past, *events))

    def by(self, origin: Origin) -> "Scenario[S, C, E]":
        return replace(self, origin=origin)

    def when(self, command: Any) -> "Scenario[S, C, E]":
        return replace(self, command=command)

    def events(self) -> Sequence[E]:
        return self.decider.decide(self.decider.fold(self.past), self.command, self.origin)

    def then(self, *events: Any) -> None:
        assert list(self.events()) == list(events)

    def then_nothing(self) -> None:
        assert list(self.events()) == []

    def then_refused(self, refusal: type[Refused]) -> Refused:
        try:
            happened = self.events()
        except refusal as refused:
            return refused
        raise AssertionError(f"not refused with {refusal.__name__}: {happened}")

    def state(self) -> S:
        return self.decider.fold(self.past)
