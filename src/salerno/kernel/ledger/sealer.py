"""Follows both logs in commit order, hangs every record into its tree, and signs where the tree stands."""

import asyncio
from collections.abc import Sequence

import structlog

from salerno.kernel.clock import Clock
from salerno.kernel.database import Connection, Database
from salerno.kernel.ledger import store
from salerno.kernel.ledger.checkpoint import Checkpoint
from salerno.kernel.ledger.keys import SigningKeys
from salerno.kernel.ledger.merkle import Frontier, tiles_of
from salerno.kernel.ledger.records import LOGS, Log
from salerno.kernel.ledger.witness import Witness, WitnessDisagrees

ROLE = "salerno_ledger"
BATCH = 5_000
EVERY = 30.0  # seconds; a record is under a signed checkpoint after twice that at most

logger = structlog.get_logger(__name__)


class RestoredCounter(Exception):
    """The server's transaction counter stands before the last sealed record: a dump was restored."""


class Sealer:
    """One for each process that may seal; a lock in the database lets one of them work at a time.

    `alarm` says why sealing has stopped, or None. It is for the health page and the operator's alert.
    """

    def __init__(self, database: Database, clock: Clock, keys: SigningKeys, witnesses: Sequence[Witness]) -> None:
        self._database = database
        self._clock = clock
        self._keys = keys
        self._witnesses = witnesses
        self.alarm: str | None = None

    async def run(self, every: float = EVERY) -> None:
        """Seal for ever. What goes wrong is logged and tried again: a ledger that is late is still a ledger."""
        while True:
            try:
                await self.seal()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next round must come
                self.alarm = f"{type(error).__name__}: {error}"
                logger.error("ledger.not_sealed", error=type(error).__name__)
            await asyncio.sleep(every)

    async def seal(self) -> dict[str, Checkpoint]:
        """Bring both trees up to the log as it is now; answers where each stands."""
        newest = {log.name: await self._seal_log(log) for log in LOGS}
        self.alarm = None
        return newest

    async def rebase(self) -> None:
        """Once after a restored dump, while nobody writes: seal what there is, then count anew from here."""
        for log in LOGS:
            async with self._database.context(ROLE, None, "kernel") as connection:
                while await self._step(connection, log, settled=True):
                    pass
                await connection.execute(store.ADD_EPOCH, log.name, self._clock.now())
                await self._show_witnesses(connection, log)

    async def _seal_log(self, log: Log) -> Checkpoint:
        async with self._database.context(ROLE, None, "kernel") as connection:
            await self._hear_witnesses(connection, log)
            while await self._step(connection, log):
                pass
            await self._show_witnesses(connection, log)
            row = await connection.fetchrow(store.NEWEST_CHECKPOINT, log.name)
        origin = self._keys.origin(log.name)
        return Checkpoint(origin, row["size"], row["root"]) if row else Checkpoint(origin, 0, Frontier().root())

    async def _step(self, connection: Connection, log: Log, settled: bool = False) -> bool:
        """One batch, and the checkpoint when it is the last for now. Whether there may be more."""
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", store.LOCK)
            head = await store.head(connection, log)
            if not settled:
                await _refuse_restored_counter(connection, head)
            rows = await store.unsealed(connection, log, head, BATCH, settled)
            frontier = Frontier.from_bytes(head.frontier.size, head.frontier.to_bytes())
            if rows:
                hashes = [row["hash"] for row in rows]
                frontier.append(hashes)
                tiles = tiles_of(head.frontier, hashes, store.TILE)
                await store.add_batch(connection, log, head, rows, tiles, frontier, self._clock.now())
            if len(rows) < BATCH:
                await self._sign(connection, log, frontier)
        return len(rows) == BATCH

    async def _sign(self, connection: Connection, log: Log, frontier: Frontier) -> None:
        newest = await connection.fetchrow(store.NEWEST_CHECKPOINT, log.name)
        if frontier.size == (newest["size"] if newest else 0):
            return
        now = self._clock.now()
        moment = f"time {now.strftime('%Y-%m-%dT%H:%M:%SZ')}"
        checkpoint = Checkpoint(self._keys.origin(log.name), frontier.size, frontier.root(), (moment,))
        note = self._keys.signer(log.name).sign(checkpoint)
        await connection.execute(store.ADD_CHECKPOINT, log.name, checkpoint.size, checkpoint.root, note, now)

    async def _hear_witnesses(self, connection: Connection, log: Log) -> None:
        """Sign nothing that would contradict what a witness has already seen."""
        for witness in self._witnesses:
            seen = await asyncio.to_thread(witness.newest, self._keys.origin(log.name))
            if seen is None:
                continue
            row = await connection.fetchrow(store.CHECKPOINT_AT, log.name, seen.size)
            if row is None or row["note"] != seen.note:
                raise WitnessDisagrees(
                    f"{log.name}: the witness holds a checkpoint of {seen.size} records that the database does not"
                )

    async def _show_witnesses(self, connection: Connection, log: Log) -> None:
        origin = self._keys.origin(log.name)
        for witness in self._witnesses:
            seen = await asyncio.to_thread(witness.newest, origin)
            size = seen.size if seen else 0
            for row in await connection.fetch(store.CHECKPOINTS_ABOVE, log.name, size):
                added = await store.leaves(connection, log, size, row["size"])
                await asyncio.to_thread(witness.add, origin, row["size"], row["note"], added)
                size = row["size"]


async def _refuse_restored_counter(connection: Connection, head: store.Head) -> None:
    if not await connection.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot()) > $1::text::xid8", head.xid):
        raise RestoredCounter("the database was restored from a dump: run the ledger's rebase before writing goes on")
