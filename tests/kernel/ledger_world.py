"""A database of its own with a sealed past, for the tests of the ledger."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from salerno.kernel.clock import SettableClock
from salerno.kernel.database import Database
from salerno.kernel.embedded import EmbeddedPostgres
from salerno.kernel.ledger.findings import Report
from salerno.kernel.ledger.keys import SigningKeys
from salerno.kernel.ledger.sealer import Sealer
from salerno.kernel.ledger.verify import recompute, silent
from salerno.kernel.ledger.witness import FolderWitness
from salerno.kernel.migrations import migrate

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
ORGANISATION, SUBJECT, KEY = uuid4(), uuid4(), uuid4()
Connection = Any
APPEND = "SELECT kernel.append($1, 'test.thing', $2, $3, $4, $5, NULL, $6, $7, $8, $9, $10, $11)"
LOOK = """
    INSERT INTO kernel.access_log (at, organisation, user_id, role, action, category, purpose, outcome, phi,
                                   subjects, address, request)
    VALUES ($1, $2, $3, 'DOCTOR', 'patient-by-id', 'demographics', 'treatment', 'disclosed', true,
            $4, '10.0.0.9', $5)"""


class World:
    """A database of its own with a sealed past: three batches in each log, each under a witnessed checkpoint."""

    def __init__(self, postgres: EmbeddedPostgres, name: str, folder: Path) -> None:
        self.superuser = Database(postgres.url("postgres", name))
        self.database = Database(postgres.url("salerno_app", name), postgres.url(database=name), pool_max=4)
        self.clock = SettableClock(NINE)
        self.keys = SigningKeys(folder / "ledger", os.urandom(32)).open()
        self.witness = FolderWitness(folder / "witness")
        self.sealer = Sealer(self.database, self.clock, self.keys, [self.witness])
        self.streams = [uuid4() for _ in range(5)]
        self.versions = dict.fromkeys(self.streams, 0)
        self._open = AsyncExitStack()
        self._rewriter: Connection = None

    async def write(self, connection: Connection, rounds: int) -> None:
        for nth in range(rounds):
            self.clock.advance(seconds=1)
            stream = self.streams[nth % len(self.streams)]
            await connection.execute(
                APPEND, ORGANISATION, stream, self.versions[stream], SUBJECT, KEY, uuid4(), self.clock.now(),
                [uuid4(), uuid4()], ["test.happened.v1", "test.happened_again.v1"], [os.urandom(40), os.urandom(90)],
                '{"happened_at": "2026-03-01T10:00:00Z", "correlation": "x", "size": 1.0}',
            )  # fmt: skip
            self.versions[stream] += 2
            await connection.execute(LOOK, self.clock.now(), ORGANISATION, uuid4(), [SUBJECT, uuid4()], uuid4().hex)

    async def verified(self, connection: Connection) -> Report:
        witnesses = [self.witness]
        return await recompute(connection, self.keys.origin, self.keys.verifiers(), witnesses, silent)

    @asynccontextmanager
    async def rewriting(self) -> AsyncIterator[Connection]:
        """A superuser with the triggers off, whose work is undone afterwards: always the same connection."""
        undone = self._rewriter.transaction()
        await undone.start()
        await self._rewriter.execute("SET LOCAL session_replication_role = replica")
        try:
            yield self._rewriter
        finally:
            await undone.rollback()

    async def begin(self) -> None:
        await self.database.open()
        self._rewriter = await self._open.enter_async_context(self.superuser.owner())

    async def end(self) -> None:
        await self._open.aclose()
        await self.database.close()


async def new_world(postgres: EmbeddedPostgres, folder: Path) -> World:
    name = f"ledger_{uuid4().hex[:12]}"
    async with Database(postgres.url("postgres")).owner() as maker:
        await maker.execute(f"CREATE DATABASE {name} OWNER salerno_owner")
    world = World(postgres, name, folder)
    async with world.database.owner() as owner:
        await migrate(owner, [])
        await owner.execute("SELECT kernel.ensure_partitions('2026-01-01', '2026-06-01')")
    await world.begin()
    return world
