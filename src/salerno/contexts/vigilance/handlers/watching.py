"""The watchman: follows the access log for as long as a process serves, and hands the room what it finds there."""

from salerno.contexts.vigilance.handlers.looks import judge
from salerno.kernel.bus import Bus
from salerno.kernel.following import Follower
from salerno.kernel.rounds import go_round

LOOK_EVERY = 2.0  # seconds; an alert is due within sixty


class Watchman:
    """Exactly once for each look, however many processes watch and whenever one of them is killed."""

    def __init__(self, bus: Bus, look_every: float = LOOK_EVERY) -> None:
        self.bus, self.look_every = bus, look_every
        self._follower = Follower(bus, "vigilance", judge)

    async def run(self) -> None:
        await go_round(self.bus, self.watch, frozenset(), self.look_every, "access log")

    async def watch(self) -> int:
        """Everything that was looked at by now. Answers how many looks were judged."""
        return await self._follower.follow()

    async def drain(self) -> None:
        """Wait until everything that was looked at before has been judged."""
        await self._follower.drain()
