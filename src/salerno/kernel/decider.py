"""A decider is two pure functions and a starting state. It knows no clock, database or web."""

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Generic, TypeVar, get_type_hints

from salerno.kernel.messages import Event, Origin

S = TypeVar("S")
C = TypeVar("C")
E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Decider(Generic[S, C, E]):
    """`kind` is the aggregate type, such as "scheduling.appointment"; `state` its frozen dataclass.

    `decide(state, command, origin)` answers the events, [] when nothing changes, or raises a Refused.
    `evolve(state, event)` never refuses. `initial` is the state before the first event.
    """

    kind: str
    initial: S
    decide: Callable[[S, C, Origin], Sequence[E]]
    evolve: Callable[[S, E], S]
    events: Any  # the union of E, for the decoder

    def fold(self, events: Iterable[E], start: S | None = None) -> S:
        return reduce(self.evolve, events, self.initial if start is None else start)


def fingerprint_of(initial: Any) -> str:
    """Changes when the fields of a state do, so that snapshots of an older shape are ignored."""
    state = type(initial)
    if state not in _fingerprints:
        _fingerprints[state] = _fingerprint(state)
    return _fingerprints[state]


_fingerprints: dict[type, str] = {}


def _fingerprint(state: Any) -> str:
    fields = [f"{field.name}:{get_type_hints(state)[field.name]}" for field in dataclasses.fields(state)]
    return hashlib.sha256("|".join(fields).encode()).hexdigest()[:16]
