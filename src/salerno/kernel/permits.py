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
NOTHING_MET: frozenset[str] = frozenset()


def names_chart(message: type[Command] | type[Query]) -> bool:
    """Whether such a message says whose chart it is about."""
    return any(name in message.__struct_fields__ for name in NAMED)


class Pass(Struct, frozen=True):
    """What somebody was let through with: how far their permission carries, what is hidden from them, and what they
    opened themselves for a time, with the purpose that the access log is told. `only` are the charts that a list is
    about, where the permission carries to some alone."""

    reach: Reach
    hidden: frozenset[UUID] = NOTHING
    opened: Mapping[UUID, str] = NONE_OPENED
    only: frozenset[UUID] | None = None


class Judgement(Struct, frozen=True, kw_only=True):
    """What the bus would say to a message, and why, in the order in which it asks.

    `reach` is None where the permission is not held. `met` are the conditions that this chart meets. `within` says
    whether the right carries to the chart; it is None where there was nothing to ask.
    """

    allowed: bool
    reach: Reach | None = None
    opens_nobody: bool = False
    named: bool = False
    is_own: bool = False
    met: frozenset[str] = NOTHING_MET
    within: bool | None = None
    hidden: bool = False


class Permits:
    """Every refusal for want of a permission is in the access log."""

    def __init__(self, needs: Mapping[type, Needs], access_log: AccessLog) -> None:
        self._needs, self._access_log = needs, access_log
        self.wards: Wards = AllOpen()
        self.declared: frozenset[str] = frozenset()  # by rooms, see `Room.about_charts`

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
        touches = needs.opens is not None or needs.minds_hidden or isinstance(message, Command) or bool(named)
        hides = touches and not needs.hidden_too
        hidden = await self.wards.hidden_from(caller) if hides else NOTHING
        if hidden and not hidden.isdisjoint(named):
            raise await self.refused(type(message), caller, hidden.intersection(named))
        if not reach.everybody:
            await self._check_named(message, caller, reach, named)
        if needs.opens is None:
            return Pass(reach, hidden)
        opened = await self.wards.opened_by(caller)
        if reach.everybody or named or isinstance(message, Command):
            return Pass(reach, hidden, opened)
        return Pass(reach, hidden, opened, await self._reached(reach, caller))

    async def _reached(self, reach: Reach, caller: Caller) -> frozenset[UUID]:
        """Every chart that a limited right carries to: what a question that names nobody is answered from."""
        found = await self.wards.within(caller, reach.conditions) if reach.conditions else NOTHING
        return found | {caller.subject} if reach.own and caller.subject is not None else found

    async def _check_named(
        self, message: Command | Query, caller: Caller, reach: Reach, named: Collection[UUID]
    ) -> None:
        """Where a right does not carry to everybody, whoever is named must be somebody it carries to."""
        if not await self._within(reach, caller, named):
            await self._denied(type(message), caller)
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

    async def missed(self, query: type[Query], caller: Caller) -> None:
        """Somebody asked for what is not there: on record like a refusal, since the two look the same from outside."""
        needs = self._needs[query]
        if needs.opens is not None and not needs.hidden_too and caller.actor.int:
            await self._denied(query, caller)

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

    async def carries(self, permission: str, caller: Caller, subject: UUID | None) -> bool:
        """Whether the caller's permission carries to this chart. A chart that is not there yet meets no condition."""
        reach = reach_of(permission, caller, own=True)
        if reach is None or reach.everybody:
            return reach is not None
        return subject is not None and await self._within(reach, caller, [subject])

    def about_charts(self) -> frozenset[str]:
        """The permissions that may stand under a condition: those of messages that open or name somebody's chart."""
        about = (
            needs.permission
            for message, needs in self._needs.items()
            if needs.opens is not None or names_chart(message)
        )
        return self.declared.union(permission for permission in about if permission)

    def for_oneself(self) -> frozenset[str]:
        """The permissions that may be held for one's own chart alone."""
        return frozenset(needs.permission for needs in self._needs.values() if needs.own)

    async def judge(self, message: type[Command] | type[Query], caller: Caller, patient: UUID | None) -> Judgement:
        """What would be said to such a message about this chart. Nothing is kept or logged, and nobody is refused.

        It follows `permit`, `check_written` and `check_answer`; tests/kernel/test_judging.py compares them.
        """
        needs = self._needs[message]
        return await self._judge(needs, caller, patient, asks=issubclass(message, Query), names=names_chart(message))

    async def judge_permission(self, permission: str, caller: Caller, patient: UUID | None) -> Judgement:
        """The same for a permission by itself: as of a query that names a chart and opens it."""
        needs = Needs(permission, opens="chart", own=True)
        return await self._judge(needs, caller, patient, asks=True, names=patient is not None)

    async def _judge(self, needs: Needs, caller: Caller, patient: UUID | None, *, asks: bool, names: bool) -> Judgement:
        reach = reach_of(needs.permission, caller, own=needs.own)
        if reach is None:
            return Judgement(allowed=False)
        if asks and needs.opens is None and not reach.everybody and not reach.own:
            return Judgement(allowed=False, reach=reach, opens_nobody=True)
        named = patient is not None and names
        touches = patient is not None and (not asks or needs.opens is not None)
        if not asks and not named and not reach.everybody and not reach.conditions:
            return Judgement(allowed=False, reach=reach)
        if patient is None or not (named or touches):
            return Judgement(allowed=True, reach=reach)
        met = [one for one in sorted(reach.conditions) if await self.wards.reach(caller, (one,), (patient,))]
        is_own = patient == caller.subject
        within = reach.everybody or (reach.own and is_own) or bool(met)
        hidden = not needs.hidden_too and patient in await self.wards.hidden_from(caller)
        return Judgement(
            allowed=within and not hidden, reach=reach, named=named, is_own=is_own, met=frozenset(met), within=within,
            hidden=hidden,
        )  # fmt: skip

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
