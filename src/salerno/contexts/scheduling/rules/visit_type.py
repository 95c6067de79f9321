"""A visit type: how long, with what around it, in which colour."""

from dataclasses import dataclass
from typing import TypeAlias, assert_never
from uuid import UUID

from salerno.contexts.scheduling.commands import DefineVisitType, RetireVisitType
from salerno.contexts.scheduling.errors import NoSuchVisitType
from salerno.contexts.scheduling.events import VisitTypeDefined, VisitTypeEvent, VisitTypeRetired
from salerno.kernel.decider import Decider
from salerno.kernel.messages import Origin


@dataclass(frozen=True, slots=True)
class Define:
    visit_type: UUID
    wish: DefineVisitType


@dataclass(frozen=True, slots=True)
class Retire:
    """`shipped` says that every organisation starts with this type."""

    visit_type: UUID
    wish: RetireVisitType
    shipped: bool = False


VisitTypeWish: TypeAlias = Define | Retire


@dataclass(frozen=True, slots=True)
class VisitType:
    defined: VisitTypeDefined | None = None
    retired: bool = False


def decide(state: VisitType, command: VisitTypeWish, origin: Origin) -> list[VisitTypeEvent]:
    match command:
        case Define():
            return _define(state, command)
        case Retire():
            return _retire(state, command)
        case _:
            assert_never(command)


def evolve(state: VisitType, event: VisitTypeEvent) -> VisitType:
    match event:
        case VisitTypeDefined():
            return VisitType(defined=event)
        case VisitTypeRetired():
            return VisitType(defined=state.defined, retired=True)
        case _:
            assert_never(event)


def _define(state: VisitType, command: Define) -> list[VisitTypeEvent]:
    wish = command.wish
    defined = VisitTypeDefined(
        visit_type=command.visit_type,
        code=wish.code,
        name_it=wish.name_it,
        name_en=wish.name_en,
        kind=wish.kind,
        minutes=wish.minutes,
        buffer_before=wish.buffer_before,
        buffer_after=wish.buffer_after,
        colour=wish.colour,
    )
    return [] if defined == state.defined and not state.retired else [defined]


def _retire(state: VisitType, command: Retire) -> list[VisitTypeEvent]:
    if state.retired:
        return []
    if state.defined is None and not command.shipped:
        raise NoSuchVisitType()
    return [VisitTypeRetired(visit_type=command.visit_type, code=command.wish.code)]


VISIT_TYPE: Decider[VisitType, VisitTypeWish, VisitTypeEvent] = Decider(
    kind="scheduling.visit_type",
    initial=VisitType(),
    decide=decide,
    evolve=evolve,
    events=VisitTypeEvent,
)
