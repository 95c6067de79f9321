"""What the bus asks before every answer and every wish: this room's questions, remembered for two seconds.

A warm answer is two look-ups in dictionaries. What is remembered of an organisation is dropped when the log tells of
a change. Where the room cannot be asked nothing is shown: `Unavailable` goes through to whoever asks.
"""

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from msgspec import Struct

from salerno.contexts.protection.errors import Restricted
from salerno.contexts.protection.events import EVENTS
from salerno.contexts.protection.queries import (
    BrokenGlass,
    ChartsInReach,
    ChartsWithin,
    OrganisationWards,
    WardsOfOrganisation,
)
from salerno.kernel.bus import Bus
from salerno.kernel.clock import stopwatch
from salerno.kernel.errors import NotFound, Refused
from salerno.kernel.messages import INSTALLATION, OPERATOR, Caller, Event
from salerno.kernel.tail import News, Tail

FRESH_SECONDS = 2.0
REMEMBERED = 1000  # organisations
ASKS = frozenset({"protection.wards"})
BREAK = "protection.break_glass"
OWNER_OF_A_CHART = "PATIENT"
NOTHING: frozenset[UUID] = frozenset()
NONE_OPEN: Mapping[UUID, str] = MappingProxyType({})
OF_THIS_ROOM: frozenset[type[Event]] = frozenset(EVENTS)


class Sight(Struct, frozen=True):
    """What is closed to one caller, and what they have broken open; a glass counts until its time."""

    closed: frozenset[UUID]
    broken: tuple[BrokenGlass, ...]


class Kept:
    """What an organisation's wards were when they were asked, with what was worked out of it since."""

    __slots__ = ("reached", "sights", "until", "wards", "within")

    def __init__(self, wards: OrganisationWards) -> None:
        self.wards = wards
        self.until = stopwatch() + FRESH_SECONDS
        self.sights: dict[tuple[UUID, UUID | None], Sight] = {}
        self.reached: dict[tuple[UUID, frozenset[str], UUID], bool] = {}
        self.within: dict[tuple[UUID, frozenset[str]], frozenset[UUID]] = {}

    def sight(self, actor: UUID, own: UUID | None) -> Sight:
        """`own` is the chart of a patient who asks."""
        found = self.sights.get((actor, own))
        if found is None:
            found = self.sights[(actor, own)] = Sight(
                frozenset(
                    chart
                    for one in self.wards.hidden
                    if actor not in one.accounts and own not in one.charts
                    for chart in one.charts
                ),
                tuple(one for one in self.wards.broken if one.account == actor),
            )
        return found


class ProtectionWards:
    """See `kernel/wards.py`. `operator` is the account of the command line, whose keys open everything anyway."""

    def __init__(self, bus: Bus, operator: UUID) -> None:
        self._bus, self._operator = bus, operator
        self._kept: dict[UUID, Kept] = {}
        self._asking: dict[UUID, asyncio.Task[Kept]] = {}
        self._changes = 0

    async def hidden_from(self, caller: Caller) -> frozenset[UUID]:
        if self._exempt(caller):
            return NOTHING
        kept = self._kept.get(caller.organisation)
        if kept is None or kept.until <= stopwatch():
            kept = await self._ask(caller.organisation)
        if not kept.wards.hidden:
            return NOTHING
        sight = kept.sight(caller.actor, _own(caller))
        if not sight.broken or not sight.closed:
            return sight.closed
        return sight.closed.difference(_open(sight, self._bus.clock.now()))

    async def opened_by(self, caller: Caller) -> Mapping[UUID, str]:
        kept = self._kept.get(caller.organisation)
        if kept is None or kept.until <= stopwatch():
            if self._exempt(caller):
                return NONE_OPEN
            kept = await self._ask(caller.organisation)
        if not kept.wards.broken:
            return NONE_OPEN
        return _open(kept.sight(caller.actor, _own(caller)), self._bus.clock.now())

    async def reach(self, caller: Caller, conditions: Collection[str], subjects: Collection[UUID]) -> bool:
        """Also what was broken open: the glass opens what lies outside a condition."""
        kept = await self._now(caller.organisation)
        broken = _open(kept.sight(caller.actor, _own(caller)), self._bus.clock.now())
        wanted, rest = frozenset(conditions), [one for one in subjects if one not in broken]
        unknown = [one for one in rest if (caller.actor, wanted, one) not in kept.reached]
        if unknown:
            query = ChartsInReach(account_id=caller.actor, conditions=tuple(sorted(wanted)), patient_ids=tuple(unknown))
            found = frozenset(await self._bus.ask(query, _asker(caller.organisation)))
            kept.reached.update({(caller.actor, wanted, one): one in found for one in unknown})
        return all(kept.reached[(caller.actor, wanted, one)] for one in rest)

    async def within(self, caller: Caller, conditions: Collection[str]) -> frozenset[UUID]:
        """Asked only for somebody whose right is under a condition."""
        kept, wanted = await self._now(caller.organisation), frozenset(conditions)
        if (found := kept.within.get((caller.actor, wanted))) is None:
            query = ChartsWithin(account_id=caller.actor, conditions=tuple(sorted(wanted)))
            found = frozenset(await self._bus.ask(query, _asker(caller.organisation)))
            kept.within[(caller.actor, wanted)] = found
        return found.union(_open(kept.sight(caller.actor, _own(caller)), self._bus.clock.now()))

    async def _now(self, organisation: UUID) -> Kept:
        kept = self._kept.get(organisation)
        return kept if kept is not None and kept.until > stopwatch() else await self._ask(organisation)

    def refusal(self, caller: Caller) -> Refused:
        """Who may break the glass is told so; for everybody else there is nothing."""
        return Restricted() if BREAK in caller.permissions else NotFound()

    # ------------------------------------------------------------ remembering
    def woken(self, kinds: frozenset[type[Event]]) -> None:
        """This process has just written something about protection: whoever asks next asks anew."""
        if not kinds.isdisjoint(OF_THIS_ROOM):
            self.forget()

    def heard(self, news: News) -> None:
        """Some process has."""
        if news.kind.startswith("protection."):
            self.forget(UUID(bytes=news.organisation.bytes))

    def forget(self, organisation: UUID | None = None) -> None:
        self._changes += 1
        if organisation is None:
            self._kept.clear()
            self._asking.clear()
        else:
            self._kept.pop(organisation, None)
            self._asking.pop(organisation, None)

    async def _ask(self, organisation: UUID) -> Kept:
        """One question at a time for an organisation, whoever waits for it; nobody's leaving ends it."""
        asking = self._asking.get(organisation)
        if asking is None:
            asking = self._asking[organisation] = asyncio.create_task(self._fetch(organisation))
            asking.add_done_callback(lambda done: self._asked(organisation, done))
        return await asyncio.shield(asking)

    def _asked(self, organisation: UUID, done: "asyncio.Task[Kept]") -> None:
        """An answer is for those who waited for it; whoever comes later finds what is kept, or asks anew."""
        if self._asking.get(organisation) is done:
            del self._asking[organisation]
        if not done.cancelled():
            done.exception()  # whoever waited has it; nobody may have

    async def _fetch(self, organisation: UUID) -> Kept:
        """What was asked before a change is answered, and not remembered."""
        before = self._changes
        kept = Kept(await self._bus.ask(WardsOfOrganisation(), _asker(organisation)))
        if before == self._changes:
            if len(self._kept) >= REMEMBERED:
                self._kept.pop(next(iter(self._kept)))
            self._kept[organisation] = kept
        return kept

    def _exempt(self, caller: Caller) -> bool:
        """Nobody who came in by a session or a token: above all organisations lie no charts, and the console's
        operator holds the keys themselves. A room that reacts to an event does not come by the bus at all."""
        if caller.organisation == INSTALLATION:
            return True
        return caller.actor == self._operator and caller.session is None and caller.address == "console"


def keep_hidden(bus: Bus, tail: Tail) -> None:
    """From here on no answer and no wish of this bus is about a chart that is hidden from whoever asks."""
    wards = ProtectionWards(bus, OPERATOR)
    bus.permits.wards = wards
    bus.woken.append(wards.woken)
    tail.listeners.append(wards.heard)
    tail.missed.append(wards.forget)


def _asker(organisation: UUID) -> Caller:
    return Caller(actor=INSTALLATION, organisation=organisation, permissions=ASKS, role="SYSTEM", purpose="operations")


def _own(caller: Caller) -> UUID | None:
    """A program's token may name a chart as its subject; only a patient's own is their own."""
    return caller.subject if caller.role == OWNER_OF_A_CHART else None


def _open(sight: Sight, now: datetime) -> Mapping[UUID, str]:
    """Each chart that is open under a glass, with the purpose as the access log has it."""
    if not sight.broken:
        return NONE_OPEN
    return {chart: f"break-glass:{one.reason}" for one in sight.broken if now < one.until for chart in one.charts}
