"""Charts that are closed to somebody who may otherwise read them, and rights that reach some charts only."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from salerno.kernel.errors import NotFound, Refused
from salerno.kernel.messages import Caller

CONDITIONS = frozenset({"care", "location"})


class Wards(Protocol):
    """Whoever knows. The bus asks before an answer leaves and before a wish is kept, so it has to be quick."""

    async def hidden_from(self, caller: Caller) -> frozenset[UUID]:
        """The subjects of the caller's organisation that this caller may not learn of."""
        ...

    async def opened_by(self, caller: Caller) -> Mapping[UUID, str]:
        """What this caller sees for a time only, by an act of their own: by subject, the purpose of looking."""
        ...

    async def reach(self, caller: Caller, conditions: Collection[str], subjects: Collection[UUID]) -> bool:
        """Whether each of these subjects meets one of the conditions ("care", "location") for this caller."""
        ...

    async def within(self, caller: Caller, conditions: Collection[str]) -> frozenset[UUID]:
        """All the subjects that meet one of the conditions for this caller: those of whom `reach` says yes."""
        ...

    def refusal(self, caller: Caller) -> Refused:
        """What to say to somebody who named a hidden subject."""
        ...


NONE_OPENED: Mapping[UUID, str] = MappingProxyType({})


class AllOpen:
    """Nothing is hidden, and no condition is met."""

    async def hidden_from(self, caller: Caller) -> frozenset[UUID]:
        return frozenset()

    async def opened_by(self, caller: Caller) -> Mapping[UUID, str]:
        return NONE_OPENED

    async def reach(self, caller: Caller, conditions: Collection[str], subjects: Collection[UUID]) -> bool:
        return False

    async def within(self, caller: Caller, conditions: Collection[str]) -> frozenset[UUID]:
        return frozenset()

    def refusal(self, caller: Caller) -> Refused:
        return NotFound()


class Reach(Struct, frozen=True):
    """How far a permission carries: to everybody, to one's own chart, or to charts that meet a condition."""

    everybody: bool = False
    own: bool = False
    conditions: frozenset[str] = frozenset()


EVERYBODY = Reach(everybody=True)


def reach_of(permission: str, caller: Caller, *, own: bool) -> Reach | None:
    """How far the caller's permission of this name carries; None where it is not held. `own`: if that is enough."""
    held = caller.permissions
    if not permission or permission in held:
        return EVERYBODY
    mine = own and caller.subject is not None and f"{permission}:own" in held
    conditions = frozenset(one for one in CONDITIONS if f"{permission}:{one}" in held)
    return Reach(own=mine, conditions=conditions) if mine or conditions else None


class Seen(Protocol):
    """What a transaction knows of whoever asks: whom they may not learn of, and whom alone they may."""

    hidden: frozenset[UUID]
    only: frozenset[UUID] | None


def is_shown(seen: Seen, subject: UUID) -> bool:
    """Whether a list may show anything about this subject."""
    return subject not in seen.hidden and (seen.only is None or subject in seen.only)


def only_of(seen: Seen) -> list[UUID] | None:
    """For a statement: the subjects that a list is about, None for everybody."""
    return None if seen.only is None else list(seen.only)


def reads_as_patient(caller: Caller, *permissions: str) -> bool:
    """Whether somebody with none of these rights over other people's charts asks: they see what patients see."""
    held = caller.permissions
    return not any(name in held or any(f"{name}:{one}" in held for one in CONDITIONS) for name in permissions)
