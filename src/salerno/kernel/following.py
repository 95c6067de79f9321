"""Following the access log: every look, in commit order, exactly once, at a checkpoint of its own.

Like a reader of the events (`subscriptions`), it stays below the oldest transaction still open, so that a slow
writer's rows are never stepped over, and its checkpoint moves in the transaction of the effect: a process that is
killed in between loses nothing and repeats nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import structlog
from msgspec import Struct

from salerno.kernel.bus import Bus
from salerno.kernel.database import Connection, Row, room_role, step_into
from salerno.kernel.messages import Caller, Options
from salerno.kernel.subscriptions import SYSTEM
from salerno.kernel.transactions import Tx

BATCH = 1000
LOG = structlog.get_logger("salerno.following")
# Another process may be at it just now: then there is nothing to do here.
CLAIM = """
    SELECT xid::text AS xid, position FROM kernel.access_followers WHERE reader = $1 FOR UPDATE SKIP LOCKED"""
READ = """
    SELECT xid::text AS xid, position, at, organisation, user_id, role, action, category, purpose, outcome, subjects,
           address
    FROM kernel.access_log
    WHERE (xid, position) > ($1::text::xid8, $2) AND xid < $4::text::xid8
    ORDER BY access_log.xid, access_log.position LIMIT $3"""
NEW = """
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text FROM kernel.access_log
    WHERE (xid, position) > ($1::text::xid8, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY access_log.xid, access_log.position LIMIT 1"""
MARK = "SELECT xid::text AS xid, position FROM kernel.access_followers WHERE reader = $1"
END = """
    SELECT xid::text AS xid, position FROM kernel.access_log
    ORDER BY access_log.xid DESC, access_log.position DESC LIMIT 1"""
MOVE = """
    UPDATE kernel.access_followers SET xid = $2::text::xid8, position = $3, updated_at = $4 WHERE reader = $1"""


class Look(Struct, frozen=True, kw_only=True):
    """One line of the access log: who (by account), when, which kind of data, whose, and with which outcome."""

    position: int
    at: datetime
    user: UUID
    role: str
    action: str
    category: str
    purpose: str
    outcome: str
    subjects: tuple[UUID, ...]
    address: str


Watch: TypeAlias = Callable[[Tx, Sequence[Look]], Awaitable[None]]


class Follower:
    """Hands a room what was looked at, one organisation at a time, in a transaction as the room's own role.

    The room's migrations make its row in `kernel.access_followers`. What `watch` writes is written by the system.
    """

    def __init__(self, bus: Bus, room: str, watch: Watch, batch: int = BATCH) -> None:
        self.bus, self.reader, self.batch = bus, room, batch
        self._watch = watch

    async def follow(self) -> int:
        """Everything that is committed by now. Answers how many looks were passed.

        The room has heard by then whatever was recorded before them.
        """
        passed, bound = 0, await self._bound()
        if bound is None:
            return 0
        await self.bus.catch_up(self.reader)
        while step := await self._step(bound):
            passed += step
        return passed

    async def drain(self, timeout: float = 10.0) -> None:
        """Everything that was written by now, waiting a little for writers that are still at it."""
        async with self.bus.database.context("salerno_reader", None, "kernel") as connection:
            end = await connection.fetchrow(END)
        async with asyncio.timeout(timeout):
            while end is not None and await self._reached() < (int(end["xid"]), end["position"]):
                if not await self.follow():
                    await asyncio.sleep(0.005)

    async def _reached(self) -> tuple[int, int]:
        async with self.bus.database.context("salerno_reader", None, "kernel") as connection:
            row = await connection.fetchrow(MARK, self.reader)
        return int(row["xid"]), row["position"]

    async def _bound(self) -> str | None:
        """The oldest transaction still open, where there is anything new below it."""
        async with self.bus.database.context("salerno_reader", None, "kernel", aside=True) as connection:
            mark = await connection.fetchrow(MARK, self.reader)
            bound: str | None = await connection.fetchval(NEW, mark["xid"], mark["position"])
        return bound

    async def _step(self, bound: str) -> int:
        """One batch, in one transaction. Answers how many looks were passed."""
        context = self.bus.database.context("salerno_reader", None, "kernel", aside=True)
        async with context as connection, connection.transaction():
            count, done = await self._pass(connection, bound)
        for tx in done:
            tx.committed()
        if written := [item for tx in done for item in tx.recorded]:
            self.bus.wake(written)
        return count

    async def _pass(self, connection: Connection, bound: str) -> tuple[int, list[Tx]]:
        mark = await connection.fetchrow(CLAIM, self.reader)
        rows = await connection.fetch(READ, mark["xid"], mark["position"], self.batch, bound) if mark else []
        if not rows:
            return 0, []
        done: list[Tx] = []
        for organisation in dict.fromkeys(row["organisation"] for row in rows):
            home = UUID(bytes=organisation.bytes)
            done += await self._in(connection, home, [_look(row) for row in rows if row["organisation"] == home])
        await step_into(connection, "salerno_reader", None, "kernel")
        await connection.execute(MOVE, self.reader, rows[-1]["xid"], rows[-1]["position"], self.bus.clock.now())
        return len(rows), done

    async def _in(self, connection: Connection, organisation: UUID, looks: Sequence[Look]) -> list[Tx]:
        """All at once, and one by one only where that fails: one look must not hide those that follow it."""
        try:
            return [await self._apply(connection, organisation, looks)]
        except Exception as error:  # noqa: BLE001 - tried again one by one below
            LOG.warning("following.batch_failed", reader=self.reader, error=type(error).__name__)
        done: list[Tx] = []
        for look in looks:
            try:
                done.append(await self._apply(connection, organisation, [look]))
            except Exception as error:  # noqa: BLE001 - a database that is away fails at the checkpoint below
                LOG.error("following.look_skipped", position=look.position, error=type(error).__name__)
        return done

    async def _apply(self, connection: Connection, organisation: UUID, looks: Sequence[Look]) -> Tx:
        bus, now = self.bus, self.bus.clock.now()
        async with connection.transaction():
            await step_into(connection, room_role(self.reader), organisation, self.reader)
            origin = bus._origin(Caller(actor=SYSTEM, organisation=organisation, role="SYSTEM"), now, Options())
            tx = Tx(bus, bus.rooms[self.reader], connection, organisation, now, origin)
            await self._watch(tx, looks)
            await tx.flush()
        return tx


def _look(row: Row) -> Look:
    return Look(
        position=row["position"],
        at=row["at"],
        user=UUID(bytes=row["user_id"].bytes),
        role=row["role"],
        action=row["action"],
        category=row["category"],
        purpose=row["purpose"],
        outcome=row["outcome"],
        subjects=tuple(UUID(bytes=one.bytes) for one in row["subjects"]),
        address=row["address"],
    )
