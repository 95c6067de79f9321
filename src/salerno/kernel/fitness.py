"""Is this database fit for people's records? What production refuses to start on, and what an operator should know."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from socket import gethostname

from salerno.kernel.clock import Clock
from salerno.kernel.database import Connection, Database
from salerno.kernel.migrations import pending

SKEW = timedelta(seconds=5)
BEHIND = 1_000  # events
AHEAD = timedelta(days=31)
LOSES = "and what was acknowledged can be lost."
ROLE = """
    SELECT rolsuper, rolbypassrls, EXISTS (
        SELECT FROM pg_namespace n WHERE n.nspname = 'kernel' AND n.nspowner = r.oid) AS owns
    FROM pg_roles r WHERE rolname = session_user"""
LAG = """
    SELECT c.reader, (SELECT count(*) FROM (SELECT FROM kernel.event_store e
        WHERE (e.xid, e.position) > (c.xid, c.position) AND e."timestamp" < now() - interval '1 minute'
        LIMIT 100000) l) AS behind
    FROM kernel.projection_checkpoints c ORDER BY c.reader"""
ERRORS = "SELECT count(*) FROM kernel.projection_errors WHERE resolved_at IS NULL"
SERVING = "salerno serve "
SERVERS = """
    SELECT DISTINCT application_name FROM pg_stat_activity
    WHERE datname = current_database() AND starts_with(application_name, $1)"""
LAST_PARTITION = """
    SELECT max(to_date(right(c.relname, 7), 'YYYY_MM')) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'kernel.event_store'::regclass"""


async def dangers(database: Database) -> list[str]:
    """Why production does not start on this database: one sentence each, nothing where it may."""
    async with Database(database.url).owner() as application:
        durable = await _durability(application)
        role = await application.fetchrow(ROLE)
    found = [*durable]
    if role["rolsuper"] or role["rolbypassrls"]:
        found.append("DATABASE_URL logs in as a superuser, whom row-level security does not hold. Use salerno_app.")
    return found


async def _durability(connection: Connection) -> list[str]:
    found = []
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if await connection.fetchval(f"SHOW {name}") == "off":
            found.append(f"The database runs with {name} off: a power failure can destroy it, {LOSES}")
    return found


async def unapplied(database: Database, rooms: Sequence[tuple[str, Path]]) -> list[str]:
    """Whether the structure is that of this version. Nothing else can be asked of a database where it is not."""
    async with database.owner() as owner:
        missing = await pending(owner, rooms)
    return [f"{len(missing)} migrations are not applied, the first is {missing[0]}."] if missing else []


async def weaknesses(database: Database, clock: Clock) -> list[str]:
    """Beyond `dangers`: what keeps an installation from being fit, though it starts."""
    async with database.owner() as owner:
        found = await _structure(owner)
        found += await _clocks(owner, clock)
    async with Database(database.url).owner() as application:
        if (await application.fetchrow(ROLE))["owns"]:
            found.append("The application logs in as the owner of its tables. Let DATABASE_URL name salerno_app.")
    async with database.context("salerno_reader", None, "kernel") as connection:
        return found + await _readers(connection)


async def _structure(owner: Connection) -> list[str]:
    found = []
    if await owner.fetchval("SHOW data_checksums") == "off":
        found.append("The database keeps no checksums of its pages: damage on the disk is not noticed.")
    last, today = await owner.fetchval(LAST_PARTITION), await owner.fetchval("SELECT now()::date")
    if last is None or _beyond(last) - today < AHEAD:
        found.append("The log has no partitions for the month ahead: `salerno db migrate` makes them.")
    return found


def _beyond(month: date) -> date:
    """The first day that a month's partition does not take."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


async def _clocks(owner: Connection, clock: Clock) -> list[str]:
    before = clock.now()
    theirs: datetime = await owner.fetchval("SELECT clock_timestamp()")
    after = clock.now()
    apart = max(before - theirs, theirs - after, timedelta())
    if apart <= SKEW:
        return []
    return [f"The clocks of the application and the database are {apart.total_seconds():.0f} s apart."]


async def _readers(connection: Connection) -> list[str]:
    found = []
    if count := await connection.fetchval(ERRORS):
        found.append(f"{count} events could not be applied: see `salerno projections errors`.")
    for row in await connection.fetch(LAG):
        if row["behind"] > BEHIND:
            found.append(f"{row['reader']} is {row['behind']} events behind, those of the last minute not counted.")
    return found


def serving_name(port: int) -> str:
    """How a server's processes name themselves to the database: one name for all workers on its port."""
    return f"{SERVING}{port} {gethostname()}"[:63]


async def servers(database: Database) -> set[str]:
    """The names of the servers that are connected to this database now, on whatever machine."""
    async with Database(database.url).owner() as application:
        return {row["application_name"] for row in await application.fetch(SERVERS, SERVING)}


def same_disk(witness: Path, data: Path) -> bool:
    """Whether both lie on one file system: then whoever loses or rewrites one does so to the other."""
    return _device(witness) == _device(data)


def _device(path: Path) -> int:
    while not path.exists():
        path = path.parent
    return path.stat().st_dev
