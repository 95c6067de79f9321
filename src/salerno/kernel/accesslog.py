"""Who has looked: written durably before an answer leaves, many readers sharing one flush."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from salerno.kernel.clock import Clock
from salerno.kernel.database import Database
from salerno.kernel.errors import Unavailable
from salerno.kernel.messages import Caller

WRITE = """
    INSERT INTO kernel.access_log (at, organisation, user_id, role, action, category, purpose, outcome, phi,
                                   subjects, address, request)
    SELECT a.at, a.organisation, a.user_id, a.role, a.action, a.category, a.purpose, a.outcome, a.phi,
           coalesce(string_to_array(nullif(a.subjects, ''), ','), '{}')::uuid[], a.address, a.request
    FROM unnest($1::timestamptz[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::bool[], $10::text[], $11::text[], $12::text[])
      AS a(at, organisation, user_id, role, action, category, purpose, outcome, phi, subjects, address, request)"""
LARGEST_BATCH = 1000


class Access(Struct, frozen=True):
    """One look at people's data, or one that was refused."""

    at: datetime
    organisation: UUID
    user: UUID
    role: str
    action: str
    category: str
    purpose: str
    outcome: str
    phi: bool
    subjects: Sequence[UUID]
    address: str
    request: str


class AccessLog:
    """Group commit: while one flush is on its way, the next readers gather for the following one."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: list[tuple[Access, asyncio.Future[None]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def record(
        self, caller: Caller, action: str, category: str, outcome: str, subjects: Sequence[UUID] = ()
    ) -> None:
        """Returns once the record is durable; raises Unavailable where it could not be written."""
        access = Access(
            self._clock.now(), caller.organisation, caller.actor, caller.role, action, category, caller.purpose,
            outcome, bool(subjects), subjects, caller.address, caller.request[:200],
        )  # fmt: skip
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((access, durable))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        await durable

    async def close(self) -> None:
        while self._flushing is not None:
            await asyncio.sleep(0)
            with suppress(Exception):
                await asyncio.shield(self._flushing)

    async def _flush(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:LARGEST_BATCH], self._waiting[LARGEST_BATCH:]
                await self._write(batch)
        finally:
            self._flushing = None

    async def _write(self, batch: list[tuple[Access, asyncio.Future[None]]]) -> None:
        try:
            async with self._database.context("salerno_access", None, "kernel") as connection:
                await connection.execute(WRITE, *_columns([access for access, _ in batch]))
        except Exception:  # noqa: BLE001 - whatever it was, every reader who waits must be told
            for _, durable in batch:
                if not durable.done():
                    durable.set_exception(Unavailable("Access cannot be recorded just now, so nothing is shown."))
            return
        for _, durable in batch:
            if not durable.done():
                durable.set_result(None)


def _columns(batch: list[Access]) -> list[list[object]]:
    return [
        [a.at for a in batch],
        [a.organisation for a in batch],
        [a.user for a in batch],
        [a.role for a in batch],
        [a.action for a in batch],
        [a.category for a in batch],
        [a.purpose for a in batch],
        [a.outcome for a in batch],
        [a.phi for a in batch],
        [",".join(map(str, a.subjects)) for a in batch],
        [a.address for a in batch],
        [a.request for a in batch],
    ]
