"""A pool of connections that asks nothing of a connection it has just got back.

asyncpg's own pool resets each connection, wraps it, and measures its time-outs; at thousands of loans a second
that costs more than the queries. Here a loan is a pop from a list. What may be in an unknown state, because its
work was cancelled or its server went away, is closed and never lent again.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeAlias

import asyncpg

from salerno.kernel.clock import stopwatch

Context: TypeAlias = tuple[str, str, str]  # role, organisation, search path


class Session(asyncpg.Connection):  # type: ignore[misc]
    """A connection that remembers in which role and organisation it stands (None: unknown)."""

    __slots__ = ("idle_since", "stands_in")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stands_in: Context | None = None
        self.idle_since = 0.0


class Pool:
    """At most `high` connections; those above `low` that lie idle for long are closed."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Session]],
        low: int,
        high: int,
        idle_seconds: float,
        patience: float = 10.0,
    ) -> None:
        self._connect, self._low, self._high = connect, low, high
        self._idle_seconds, self._patience = idle_seconds, patience
        self._idle: list[Session] = []
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._count = 0
        self._closed = False
        self._sweeping: asyncio.Task[None] | None = None

    async def open(self) -> None:
        for _ in range(self._low):
            self._count += 1
            self._idle.append(await self._connect())
        self._sweeping = asyncio.create_task(self._sweep())

    async def close(self) -> None:
        """Idle connections end at once, lent ones when they are given back."""
        self._closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        for session in self._idle:
            with suppress(Exception):
                await asyncio.wait_for(session.close(), 5)
        self._count -= len(self._idle)
        self._idle.clear()

    async def take(self, wanted: Context) -> Session:
        """A living connection, best one that stands in `wanted` already. TimeoutError when none comes free in time."""
        while True:
            if session := self._from_idle(wanted):
                return session
            if self._closed:
                raise asyncpg.InterfaceError("the pool is closed")
            if self._count < self._high:
                return await self._new()
            await self._wait()

    def _from_idle(self, wanted: Context) -> Session | None:
        idle = self._idle
        while idle:
            at = next((n for n in range(len(idle) - 1, -1, -1) if idle[n].stands_in == wanted), -1)
            session = idle.pop(at)
            if not session.is_closed():
                return session
            self._count -= 1
        return None

    async def _new(self) -> Session:
        self._count += 1
        try:
            return await self._connect()
        except BaseException:
            self._gone()
            raise

    async def _wait(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._patience):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # our turn came while we were leaving: pass it on
                self._call_next()
            raise

    def give(self, session: Session, *, whole: bool) -> None:
        """Take a loan back; `whole` says that the work ended by itself, so that nothing is under way on it."""
        if not whole or self._closed or session.is_closed() or session.is_in_transaction():
            session.terminate()
            self._gone()
            return
        session.idle_since = stopwatch()
        self._idle.append(session)
        self._call_next()

    def _gone(self) -> None:
        self._count -= 1
        self._call_next()

    def _call_next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._idle_seconds / 2)
            old = stopwatch() - self._idle_seconds
            while self._count > self._low and self._idle and self._idle[0].idle_since < old:
                session = self._idle.pop(0)
                self._count -= 1
                with suppress(Exception):
                    await asyncio.wait_for(session.close(), 5)
