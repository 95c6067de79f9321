"""What an errand holds: transactions of its own, each in the organisation that it names."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import msgspec

from salerno.kernel.clock import uuid7
from salerno.kernel.messages import Caller
from salerno.kernel.room import Room
from salerno.kernel.transactions import Tx

if TYPE_CHECKING:
    from salerno.kernel.bus import Bus

T = TypeVar("T")


class Desk:
    """What an errand holds: transactions of its own, each in the organisation that it names."""

    __slots__ = ("_caller", "_room", "bus")

    def __init__(self, bus: "Bus", room: Room, caller: Caller) -> None:
        self.bus, self._room, self._caller = bus, room, caller

    @property
    def now(self) -> datetime:
        return self.bus.clock.now()

    def new_id(self) -> UUID:
        return uuid7(self.now)

    async def within(
        self, organisation: UUID, work: Callable[[Tx], Awaitable[T]], *, actor: UUID | None = None, role: str = ""
    ) -> T:
        """What `work` answers, from one transaction that is durable by then. A lost race is tried again."""
        wanted = {"organisation": organisation} | ({"actor": actor, "role": role} if actor else {})
        caller = msgspec.structs.replace(self._caller, **wanted)

        return await self.bus.within(self._room, caller, work)
