"""Who may send what, about whom: a permission, how far it carries, and the charts that are hidden from its holder."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from salerno.kernel.accesslog import AccessLog
from salerno.kernel.errors import NotAllowed, NotFound, Refused
from salerno.kernel.messages import Caller, Command, Disclosure, Query, Recorded
from salerno.kernel.room import Needs
from salerno.kernel.wards import NONE_OPENED, AllOpen, Reach, Wards, reach_of

NAMED = ("patient", "patient_id")
NOTHING: frozenset[UUID] = frozenset()


class Pass(Struct, frozen=True):
    """What somebody was let through with: how far their permission carries, what is hidden from them, and what they
    opened themselves for a time, with the purpose that the access log is told."""

    reach: Reach
    hidden: frozenset[UUID] = NOTHING
    opened: Mapping[UUID, str] = NONE_OPENED


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
        named = [found for name in NAMED if (found := getattr(message, name, None)) is not None]
        hides = not needs.hidden_too and (needs.opens is not None or isinstance(message, Command) or bool(named))
        hidden = await self.wards.hidden_from(caller) if hides else NOTHING
        if hidden and not hidden.isdisjoint(named):
            raise await self.refused(type(message), caller, hidden.intersection(named))
        if not reach.everybody:
            await self._check_named(message, caller, reach, named)
        return Pass(reach, hidden, await self.wards.opened_by(caller) if needs.opens is not None else NONE_OPENED)

    async def _check_named(
        self, message: Command | Query, caller: Caller, reach: Reach, named: Collection[UUID]
    ) -> None:
        """Where a right does not carry to everybody, whoever is named must be somebody it carries to."""
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

    async def record_answer(self, query: Query, caller: Caller, passed: Pass, subjects: Sequence[UUID]) -> None:
        """Who was shown, durably; whoever the caller had opened for a time stands under that purpose."""
        name, opens = type(query).__name__, self._needs[type(query)].opens or ""
        opened = [subject for subject in subjects if subject in passed.opened] if passed.opened else []
        for subject in opened:
            looking = msgspec.structs.replace(caller, purpose=passed.opened[subject])
            await self._access_log.record(looking, name, opens, "disclosed", [subject])
        rest = [subject for subject in subjects if subject not in passed.opened] if opened else subjects
        if rest or not opened:
            await self._access_log.record(caller, name, opens, "disclosed" if rest else "nothing", rest)

    async def _check(
        self, message: type[Command] | type[Query], caller: Caller, passed: Pass, subjects: Collection[UUID]
    ) -> None:
        if passed.hidden and not passed.hidden.isdisjoint(subjects):
            raise await self.refused(message, caller, passed.hidden.intersection(subjects))
        if not passed.reach.everybody and not await self._within(passed.reach, caller, subjects):
            await self._denied(message, caller)
            raise NotFound()

    async def _within(self, reach: Reach, caller: Caller, subjects: Collection[UUID]) -> bool:
        others = {subject for subject in subjects if not (reach.own and subject == caller.subject)}
        return not others or (bool(reach.conditions) and await self.wards.reach(caller, reach.conditions, others))

    async def refused(
        self, message: type[Command] | type[Query], caller: Caller, subjects: Collection[UUID]
    ) -> Refused:
        """What to say of these, which are hidden from the caller; that they tried is on record when this returns."""
        await self._denied(message, caller, subjects)
        return self.wards.refusal(caller)

    async def _denied(
        self, message: type[Command] | type[Query], caller: Caller, subjects: Collection[UUID] = ()
    ) -> None:
        opens = self._needs[message].opens or ""
        await self._access_log.record(caller, message.__name__, opens, "denied", list(subjects))
