"""Connections to PostgreSQL: always in one role and one organisation; and the SQL that lies beside the code."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib import resources
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
from asyncpg.exceptions import (
    CheckViolationError as CheckViolation,
)
from asyncpg.exceptions import (
    ExclusionViolationError as ExclusionViolation,
)
from asyncpg.exceptions import (
    IntegrityConstraintViolationError as Violation,
)
from asyncpg.exceptions import (
    UniqueViolationError as UniqueViolation,
)

from salerno.kernel.errors import IntegrityError, Refused, Unavailable
from salerno.kernel.pool import Context, Pool, Session
from salerno.kernel.space import DiskFull

__all__ = [
    "CheckViolation",
    "Connection",
    "Database",
    "ExclusionViolation",
    "Row",
    "UniqueViolation",
    "Violation",
    "load_sql",
]

Connection: TypeAlias = Any  # asyncpg's connection or its pool proxy; both are untyped
Row: TypeAlias = Any  # asyncpg.Record: by name, by number

ENTER = """SELECT set_config('role', $1, {0}), set_config('salerno.organisation', $2, {0}),
    set_config('search_path', $3, {0})"""
ENTER_SESSION = ENTER.format("false")
ENTER_TRANSACTION = ENTER.format("true")
SERVER = {
    "statement_timeout": "30s",
    "jit": "off",
    "timezone": "UTC",
    # A plan made while a table was empty must still be right when it is large: by index, row by row.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}


@cache
def load_sql(package: str) -> dict[str, str]:
    """The statements of `sql/queries.sql` in `package`, by the name on their `-- name:` line."""
    text = (resources.files(package) / "sql" / "queries.sql").read_text("utf-8")
    parts = re.split(r"^-- name: *(\w+) *\n", text, flags=re.MULTILINE)
    names, bodies = parts[1::2], parts[2::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{package}: a statement's name stands twice")
    return {name: body.strip().rstrip(";") for name, body in zip(names, bodies, strict=True)}


ASIDE = 4  # connections for work that holders of others wait for


class Database:
    """Pools of one process. `context()` lends a connection that stands in one role and one organisation.

    Work that somebody waits for while holding a connection takes its own from `aside`: were it to queue for
    the same pool, as many holders as there are connections would wait for each other for ever. Whoever looked is
    written on a connection of its own, since every answer waits for that.

    The context is set for the session and remembered, so that a process that serves one organisation
    pays for it once. A connection whose context may be half set (a cancelled request) counts as unknown.
    """

    def __init__(
        self, url: str, owner_url: str | None = None, pool_min: int = 2, pool_max: int = 20, idle_seconds: int = 300
    ) -> None:
        self.url = url
        self.owner_url = owner_url or url
        self.name = "salerno"  # by which the database and other processes know this one
        self._sizes = (pool_min, pool_max)
        self._idle = float(idle_seconds)
        self._pool: Pool | None = None
        self._aside: Pool | None = None
        self._log: Pool | None = None

    async def open(self) -> None:
        low, high = self._sizes
        self._pool = Pool(self._connect, min(low, high), high, self._idle)
        self._aside = Pool(self._connect, 0, ASIDE, self._idle)
        self._log = Pool(self._connect, 0, 1, self._idle)
        for pool in (self._pool, self._aside, self._log):
            await pool.open()

    async def _connect(self) -> Session:
        settings = {**SERVER, "application_name": self.name}
        session: Session = await asyncpg.connect(
            self.url, connection_class=Session, server_settings=settings, timeout=10
        )
        return session

    async def close(self) -> None:
        for pool in (self._pool, self._aside, self._log):
            if pool is not None:
                await pool.close()
        self._pool = self._aside = self._log = None

    async def ping(self, seconds: float = 2.0) -> None:
        """Raises when the database does not answer in time."""
        async with asyncio.timeout(seconds), self.context("salerno_reader", None, "kernel") as connection:
            await connection.fetchval("SELECT 1")

    def context(self, role: str, organisation: UUID | None, schema: str, *, aside: bool = False) -> "Loan":
        return _loan(self._aside if aside else self._pool, role, organisation, schema)

    def access_log(self) -> "Loan":
        """The connection on which looks are recorded, and nothing else."""
        return _loan(self._log, "salerno_access", None, "kernel")

    @asynccontextmanager
    async def owner(self) -> AsyncIterator[Connection]:
        """A connection of its own as the owner of the tables: structure only (migrations, partitions, rebuilds)."""
        connection = await asyncpg.connect(self.owner_url, server_settings={"jit": "off", "timezone": "UTC"})
        try:
            yield connection
        finally:
            await connection.close()


class Loan:
    """`async with` it: a connection that stands in the wanted role and organisation."""

    __slots__ = ("_pool", "_session", "_wanted")

    def __init__(self, pool: Pool, wanted: Context) -> None:
        self._pool, self._wanted = pool, wanted
        self._session: Session | None = None

    async def __aenter__(self) -> Connection:
        session = await self._pool.take(self._wanted)
        if session.stands_in != self._wanted:
            session.stands_in = None
            try:
                await session.fetchrow(ENTER_SESSION, *self._wanted)
            except BaseException:
                self._pool.give(session, whole=False)
                raise
            session.stands_in = self._wanted
        self._session = session
        return session

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: object) -> None:
        session, self._session = self._session, None
        assert session is not None
        # A cancelled query may still be running on the server; an ordinary error leaves nothing behind.
        self._pool.give(session, whole=kind is None or issubclass(kind, Exception))


def _loan(pool: Pool | None, role: str, organisation: UUID | None, schema: str) -> Loan:
    if pool is None:
        raise asyncpg.InterfaceError("the database is not open")
    return Loan(pool, (role, str(organisation) if organisation else "", f"{schema}, public"))


async def step_into(connection: Connection, role: str, organisation: UUID | None, schema: str) -> None:
    """Change role and organisation for the rest of the open transaction."""
    await connection.fetchrow(ENTER_TRANSACTION, role, str(organisation) if organisation else "", f"{schema}, public")


def room_role(room: str) -> str:
    return f"salerno_{room}"


def sqlstate(error: BaseException) -> str:
    return str(getattr(error, "sqlstate", "") or "")


TRANSIENT = frozenset({"40001", "40P01", "55P03"})  # serialisation, deadlock, lock not available
ROTTEN = (asyncpg.DataCorruptedError, asyncpg.IndexCorruptedError)  # a page does not match its checksum
# asyncpg says InternalClientError where the server went away between two of its messages.
AWAY = (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError)


def refusal_of(error: BaseException) -> Refused | BaseException:
    """A database that is away is Unavailable, one without room DiskFull, one with damaged pages an IntegrityError."""
    if isinstance(error, ROTTEN):
        return IntegrityError()
    if isinstance(error, asyncpg.DiskFullError):
        return DiskFull(retry_after=10)
    away = isinstance(error, (*AWAY, asyncpg.PostgresConnectionError))
    if away or sqlstate(error).startswith(("57", "53", "08")):
        return Unavailable(retry_after=2)
    return error
