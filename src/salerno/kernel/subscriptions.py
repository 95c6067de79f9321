"""Readers of the log: each room hears the others in commit order, exactly once, at its own checkpoint.

Order is (writing transaction, position) below the oldest transaction still open, so that a slow writer's
events are never stepped over. The checkpoint moves in the transaction of the effect.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import structlog

from salerno.kernel import eventstore
from salerno.kernel.bus import Bus
from salerno.kernel.database import Connection, Row, room_role, step_into
from salerno.kernel.errors import Refused, VersionConflict
from salerno.kernel.messages import Caller, Command, Event, Options, Recorded
from salerno.kernel.retrying import TRIES
from salerno.kernel.room import Room
from salerno.kernel.transactions import Tx
from salerno.kernel.upcasting import stored_names

SYSTEM = UUID("00000000-0000-7000-8000-000000000001")  # the actor of what the product does by itself
GATHER = 0.04  # seconds: under load, what is written meanwhile is heard together
# Of a crowd of events it is no one person who waits to see what they did: one large batch instead of many small ones.
CROWD, GATHER_MORE = 8, 0.2  # events heard at once; seconds
LOG = structlog.get_logger("salerno.subscriptions")

# Whoever was erased while a batch waited is not brought back by it, whatever keys this process still remembers.
ERASED = """EXISTS (SELECT FROM kernel.tombstones t
    WHERE t.organisation = event_store.hospital_id AND t.subject = event_store.subject_id) AS erased"""
READ = f"""
    SELECT {eventstore.COLUMNS}, {ERASED} FROM kernel.event_store
    WHERE (xid, position) > ($1::text::xid8, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY event_store.xid, event_store.position LIMIT $3"""
CLAIM = """
    SELECT xid::text AS xid, position FROM kernel.projection_checkpoints WHERE reader = $1 FOR UPDATE"""
MOVE = """
    UPDATE kernel.projection_checkpoints SET xid = $2::text::xid8, position = $3, updated_at = $4 WHERE reader = $1"""
START = "INSERT INTO kernel.projection_checkpoints (reader) VALUES ($1) ON CONFLICT DO NOTHING"
END_OF_LOG = """
    SELECT xid::text AS xid, position FROM kernel.event_store
    ORDER BY event_store.xid DESC, event_store.position DESC LIMIT 1"""
PARKED = """
    SELECT DISTINCT aggregate_id FROM kernel.projection_errors WHERE reader = $1 AND resolved_at IS NULL"""
PARK = """
    INSERT INTO kernel.projection_errors
        (reader, organisation, aggregate_id, event_type, xid, position, error, first_at, last_at)
    VALUES ($1, $2, $3, $4, $5::text::xid8, $6, $7, $8, $8)
    ON CONFLICT (reader, position)
    DO UPDATE SET attempts = projection_errors.attempts + 1, last_at = excluded.last_at, error = excluded.error"""
RESOLVED = "UPDATE kernel.projection_errors SET resolved_at = $3 WHERE reader = $1 AND position = $2"
WAITING = f"""
    SELECT {eventstore.COLUMNS}, {ERASED} FROM kernel.event_store
    WHERE position IN (SELECT e.position FROM kernel.projection_errors e WHERE e.reader = $1 AND e.resolved_at IS NULL)
    ORDER BY event_store.xid, event_store.position"""


class Subscription:
    """One room's ear on the log: its projections of others' events and its policies."""

    def __init__(self, bus: Bus, room: Room, batch_size: int = 1000) -> None:
        self.bus = bus
        self.room = room
        self.batch_size = batch_size
        self.reader = room.name
        self.kinds = frozenset(event for listen in room.listens for event in listen.events) | frozenset(room.policies)
        self._hears = stored_names(bus.rooms.values(), self.kinds)
        self._ready = False

    @property
    def silent(self) -> bool:
        return not self._hears

    async def step(self) -> int:
        """Hear one batch, in one transaction. Answers how many events were passed."""
        async with self.bus.database.context("salerno_reader", None, "kernel", aside=True) as connection:
            if not self._ready:
                await connection.execute(START, self.reader)
                self._ready = True
            async with connection.transaction():
                rows, after_commit = await self._hear(connection)
        for tx in after_commit:
            tx.committed()
        if written := [item for tx in after_commit for item in tx.recorded]:
            self.bus.wake(written)
        return rows

    async def _hear(self, connection: Connection) -> tuple[int, list[Tx]]:
        mark = await connection.fetchrow(CLAIM, self.reader)
        rows = await connection.fetch(READ, mark["xid"], mark["position"], self.batch_size)
        if not rows:
            return 0, []
        heard = [row for row in rows if row["event_type"] in self._hears and not row["erased"]]
        parked = {row[0] for row in await connection.fetch(PARKED, self.reader)} if heard else set()
        done: list[Tx] = []
        for organisation in dict.fromkeys(row["hospital_id"] for row in heard):
            mine = [row for row in heard if row["hospital_id"] == organisation]
            done += await self._hear_for(connection, organisation, mine, parked)
        if heard:
            await step_into(connection, "salerno_reader", None, "kernel")
        await connection.execute(MOVE, self.reader, rows[-1]["xid"], rows[-1]["position"], self.bus.clock.now())
        return len(rows), done

    async def _hear_for(
        self, connection: Connection, organisation: UUID, rows: list[Row], parked: set[UUID]
    ) -> list[Tx]:
        """Apply one organisation's events: all at once, and one by one only where that fails."""
        free = [row for row in rows if row["aggregate_id"] not in parked]
        done: list[Tx] = []
        try:
            done.append(await self._apply(connection, organisation, free))
            free = []
        except Exception as error:  # noqa: BLE001 - tried again one by one below
            LOG.warning("subscription.batch_failed", reader=self.reader, error=type(error).__name__)
        for row in rows:
            if row["aggregate_id"] in parked:
                await self._park(connection, row, "waits behind an earlier error")
            elif free:
                try:
                    done.append(await self._apply(connection, organisation, [row]))
                except Exception as error:  # noqa: BLE001 - recorded, listed, retried
                    parked.add(row["aggregate_id"])
                    await self._park(connection, row, _cause(error))
        return done

    async def _apply(self, connection: Connection, organisation: UUID, rows: Sequence[Row]) -> Tx:
        async with connection.transaction():
            await step_into(connection, room_role(self.room.name), organisation, self.room.name)
            tx = Tx(self.bus, self.room, connection, organisation, self.bus.clock.now())
            items = await eventstore.open_rows(
                connection, self.bus.vault, self.bus.catalogue, organisation, rows, tx.now
            )
            for listen in self.room.listens:
                if heard := [item for item in items if isinstance(item.event, listen.events)]:
                    await listen.apply(tx, heard)
            for item in items:
                await self._react(tx, item)
            await tx.flush()
        return tx

    async def _react(self, tx: Tx, item: Recorded[Any]) -> None:
        policy = self.room.policies.get(type(item.event))
        for command in policy(item) if policy else ():
            caller = Caller(
                actor=SYSTEM, organisation=tx.organisation, role="SYSTEM", correlation=item.origin.correlation
            )
            options = Options(causation=item.id, happened_at=item.origin.happened_at)
            tx._origin = self.bus._origin(caller, tx.now, options)
            try:
                await self._ask(tx, command)
            except Refused as refusal:
                # An apology, not an accident: what was asked is no longer possible, and the log says why.
                LOG.warning("policy.refused", reader=self.reader, command=type(command).__name__, code=refusal.code)

    async def _ask(self, tx: Tx, command: Command) -> None:
        """Somebody may have written to the same stream a moment ago: what they wrote is seen the next time."""
        handler = self.room.handlers[type(command)]
        for attempt in range(1, TRIES + 1):
            try:
                await tx.flush()
                async with tx.connection.transaction():
                    await handler(tx, command, tx.origin)
                    await tx.flush()
            except VersionConflict:
                if attempt == TRIES:
                    raise
            else:
                return

    async def _park(self, connection: Connection, row: Row, cause: str) -> None:
        await step_into(connection, "salerno_reader", None, "kernel")
        await connection.execute(
            PARK, self.reader, row["hospital_id"], row["aggregate_id"], row["event_type"], row["xid"],
            row["position"], cause, self.bus.clock.now(),
        )  # fmt: skip
        LOG.error(
            "projection.error", reader=self.reader, event_type=row["event_type"], position=row["position"], cause=cause
        )

    async def retry(self) -> int:
        """Try what is parked again, in order. Answers how many were resolved."""
        resolved = 0
        async with self.bus.database.context("salerno_reader", None, "kernel") as connection, connection.transaction():
            await connection.fetchrow(CLAIM, self.reader)
            stuck: set[UUID] = set()
            for row in await connection.fetch(WAITING, self.reader):
                if row["aggregate_id"] in stuck:
                    continue
                try:
                    if not row["erased"]:
                        await self._apply(connection, row["hospital_id"], [row])
                except Exception as error:  # noqa: BLE001 - stays recorded
                    stuck.add(row["aggregate_id"])
                    await self._park(connection, row, _cause(error))
                    continue
                await step_into(connection, "salerno_reader", None, "kernel")
                await connection.execute(RESOLVED, self.reader, row["position"], self.bus.clock.now())
                resolved += 1
        return resolved

    async def drain(self, timeout: float = 5.0) -> None:
        """Hear everything that is committed by now, waiting a little for writers still open."""
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout
        async with self.bus.database.context("salerno_reader", None, "kernel") as connection:
            end = await connection.fetchrow(END_OF_LOG)
        if end is None:
            return
        goal = (int(end["xid"]), end["position"])
        while loop.time() < until:
            passed = await self.step()
            if not passed:
                if await self._reached() >= goal:
                    return
                await asyncio.sleep(0.005)

    async def _reached(self) -> tuple[int, int]:
        async with self.bus.database.context("salerno_reader", None, "kernel") as connection:
            row = await connection.fetchrow(
                "SELECT xid::text AS xid, position FROM kernel.projection_checkpoints WHERE reader = $1", self.reader
            )
        return int(row["xid"]), row["position"]


def _cause(error: BaseException) -> str:
    """Type and place only: an exception's text may hold a name."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f" at {trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{place}"


class Subscriptions:
    """All ears of this process: woken by its own commits, and looking by itself for those of others."""

    def __init__(self, bus: Bus, batch_size: int = 1000, look_every: float = 0.25) -> None:
        self.bus = bus
        self.look_every = look_every
        rooms = [bus.rooms[name] for name in sorted(bus.here)]
        self.all = {room.name: sub for room in rooms if not (sub := Subscription(bus, room, batch_size)).silent}
        self._tasks: list[asyncio.Task[None]] = []
        self._wakes: list[tuple[frozenset[type[Event]], asyncio.Event]] = []
        bus.catching_up = self.catch_up
        bus.settling = self.settle

    async def catch_up(self, room: str) -> None:
        if subscription := self.all.get(room):
            await subscription.drain()

    async def settle(self, timeout: float = 30.0) -> None:
        """Until nobody has anything left to hear; policies may have written more, so go round until quiet."""
        for _ in range(20):
            before = await self._end()
            for subscription in self.all.values():
                await subscription.drain(timeout)
            if await self._end() == before:
                return

    async def _end(self) -> Any:
        async with self.bus.database.context("salerno_reader", None, "kernel", aside=True) as connection:
            return await connection.fetchval("SELECT last_value FROM kernel.event_positions")

    def start(self) -> None:
        self.bus.woken.append(self._wake)
        for subscription in self.all.values():
            wake = asyncio.Event()
            self._wakes.append((subscription.kinds, wake))
            self._tasks.append(asyncio.create_task(self._follow(subscription, wake)))

    async def stop(self) -> None:
        with suppress(ValueError):
            self.bus.woken.remove(self._wake)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self._wakes.clear()

    def _wake(self, kinds: frozenset[type[Event]]) -> None:
        for heard, wake in self._wakes:
            if heard & kinds:
                wake.set()

    async def _follow(self, subscription: Subscription, wake: asyncio.Event) -> None:
        seen, quiet, rounds, heard = -1, 0, 0, 0
        while True:
            try:
                end = await self._end()
                quiet = 0 if end != seen else quiet + 1
                seen = end
                # A position is taken before its transaction commits, so look a few times more, and at times anyway.
                if quiet < 8 or rounds % 40 == 0:
                    while (heard := await subscription.step()) == subscription.batch_size:
                        pass
                if rounds % 40 == 0:
                    await subscription.retry()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - a reader never dies of a database that is away
                LOG.warning("subscription.away", reader=subscription.reader, error=type(error).__name__)
                await asyncio.sleep(0.5)
            rounds += 1
            wake.clear()
            # Not wait_for: in Python 3.11 it can lose a cancellation that meets the wake-up.
            with suppress(TimeoutError):
                async with asyncio.timeout(self.look_every):
                    await wake.wait()
                    await asyncio.sleep(GATHER if heard < CROWD else GATHER_MORE)
