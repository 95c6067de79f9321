"""Who may send what, about whom: a permission, how far it carries, and the charts that are hidden from its holder."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

from salerno.kernel.accesslog import AccessLog
from salerno.kernel.errors import NotAllowed, NotFound
from salerno.kernel.messages import Caller, Command, Disclosure, Query, Recorded
from salerno.kernel.room import Needs
from salerno.kernel.wards import AllOpen, Reach, Wards, reach_of

NAMED = ("patient", "patient_id")
NOTHING: frozenset[UUID] = frozenset()


class Pass(Struct, frozen=True):
    """What somebody was let through with: how far their permission carries, and what is hidden from them."""

    reach: Reach
    hidden: frozenset[UUID] = NOTHING


class Permits:
    """Every refusal for want of a permission is in the access log."""

    def __init__(self, needs: Mapping[type, Needs], access_log: AccessLog) -> None:
        self._needs, self._access_log = needs, access_log
        self.wards: Wards = AllOpen()

    async def admit(self, message: type[Command] | type[Query], caller: Caller) -> Reach:
        """How far the permission for such a message carries. Raises NotAllowed where the caller has none."""
        needs = self._needs[message]
        reach = reach_of(needs.permission, caller, own=needs.own)
        if reach is None or (
            not reach.everybody and issubclass(message, Query) and needs.opens is None and not reach.own
        ):
            await self._denied(message, caller)
            raise NotAllowed()
        return reach

    async def permit(self, message: Command | Query, caller: Caller) -> Pass:
        """Raises NotAllowed, or NotFound for somebody else's chart, before anything is looked up."""
        needs, reach = self._needs[type(message)], await self.admit(type(message), caller)
        hides = isinstance(message, Command) or needs.opens is not None
        hidden = await self.wards.hidden_from(caller) if hides and not needs.hidden_too else NOTHING
        if not reach.everybody:
            await self._check_named(message, caller, reach)
        return Pass(reach, hidden)

    async def _check_named(self, message: Command | Query, caller: Caller, reach: Reach) -> None:
        """Where a right does not carry to everybody, whoever is named must be somebody it carries to."""
        named = [found for name in NAMED if (found := getattr(message, name, None)) is not None]
        if not await self._within(reach, caller, named):
            raise NotFound()
        if isinstance(message, Command) and not named and not reach.conditions:
            raise NotAllowed()

    async def check_written(
        self, message: Command, caller: Caller, passed: Pass, items: Sequence[Recorded[Any]]
    ) -> None:
        """Raises, so that nothing is kept, where an event is about somebody whom the caller may not reach."""
        if passed.reach.everybody and not passed.hidden:
            return
        await self._check(type(message), caller, passed, {item.subject for item in items})

    async def check_answer(self, query: Query, caller: Caller, passed: Pass, answer: Disclosure[Any]) -> None:
        """Raises, so that nothing leaves, where an answer opens what the caller may not see."""
        await self._check(type(query), caller, passed, answer.subjects)

    async def _check(
        self, message: type[Command] | type[Query], caller: Caller, passed: Pass, subjects: Collection[UUID]
    ) -> None:
        if passed.hidden and not passed.hidden.isdisjoint(subjects):
            await self._denied(message, caller, passed.hidden.intersection(subjects))
            raise self.wards.refusal(caller)
        if not passed.reach.everybody and not await self._within(passed.reach, caller, subjects):
            await self._denied(message, caller)
            raise NotFound()

    async def _within(self, reach: Reach, caller: Caller, subjects: Collection[UUID]) -> bool:
        others = {subject for subject in subjects if not (reach.own and subject == caller.subject)}
        return not others or (bool(reach.conditions) and await self.wards.reach(caller, reach.conditions, others))

    async def _denied(
        self, message: type[Command] | type[Query], caller: Caller, subjects: Collection[UUID] = ()
    ) -> None:
        opens = self._needs[message].opens or ""
        await self._access_log.record(caller, message.__name__, opens, "denied", list(subjects))
