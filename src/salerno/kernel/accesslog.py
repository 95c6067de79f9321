"""Who has looked: written durably before an answer leaves, many readers sharing one flush."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from salerno.kernel.clock import Clock
from salerno.kernel.database import Database
from salerno.kernel.errors import Unavailable
from salerno.kernel.messages import Caller

# As one JSON value: of a dozen arrays the driver would look at each element twice.
WRITE = """
    INSERT INTO kernel.access_log (at, organisation, user_id, role, action, category, purpose, outcome, phi,
                                   subjects, address, request)
    SELECT a.at, a.organisation, a.user_id, a.role, a.action, a.category, a.purpose, a.outcome, a.phi, a.subjects,
           a.address, a.request
    FROM json_to_recordset($1::json) AS a(at timestamptz, organisation uuid, user_id uuid, role text, action text,
        category text, purpose text, outcome text, phi boolean, subjects uuid[], address text, request text)"""
LARGEST_BATCH = 1000


class Access(Struct, frozen=True, rename={"user": "user_id"}):
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
            rows = msgspec.json.encode([access for access, _ in batch]).decode()
            async with self._database.access_log() as connection:
                await connection.execute(WRITE, rows)
        except Exception:  # noqa: BLE001 - whatever it was, every reader who waits must be told
            for _, durable in batch:
                if not durable.done():
                    durable.set_exception(Unavailable("Access cannot be recorded just now, so nothing is shown."))
            return
        for _, durable in batch:
            if not durable.done():
                durable.set_result(None)
