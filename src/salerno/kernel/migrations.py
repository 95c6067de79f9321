"""Schemas by plain SQL files, a set per room, forward only; roles, grants and row-level security by rule."""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from salerno.kernel.database import Connection, room_role

LOCK = 0x5A1E2A0
GROUPS = ("salerno_kernel", "salerno_reader", "salerno_access", "salerno_ledger")
LEDGER = """
    CREATE SCHEMA IF NOT EXISTS kernel;
    CREATE TABLE IF NOT EXISTS kernel.migrations (
        room text NOT NULL, name text NOT NULL, sha256 bytea NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (room, name))"""


class MigrationEdited(Exception):
    """A file that was applied has changed since: add a new one instead."""


class DatabaseIsAhead(Exception):
    """The database has migrations that this version does not know: start the newer version."""


async def migrate(connection: Connection, rooms: Sequence[tuple[str, Path]]) -> list[str]:
    """Bring kernel and rooms up to date. Answers the names applied. Safe to call from many processes at once."""
    applied: list[str] = []
    # A blocking lock deadlocks with CREATE INDEX CONCURRENTLY, which waits for the transactions of those waiting.
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    try:
        await make_roles(connection, [room for room, _ in rooms])
        await connection.execute(LEDGER)
        kernel = Path(__file__).parent / "sql" / "migrations"
        for room, folder in [("kernel", kernel), *((room, path / "sql" / "migrations") for room, path in rooms)]:
            applied += await _migrate_one(connection, room, folder)
        await connection.execute(
            "SELECT kernel.ensure_partitions((now() - interval '1 month')::date, (now() + interval '4 months')::date)"
        )
    finally:
        await connection.fetchval("SELECT pg_advisory_unlock($1)", LOCK)
    return applied


async def pending(connection: Connection, rooms: Sequence[tuple[str, Path]]) -> list[str]:
    """Names of migrations not yet applied."""
    known: set[tuple[str, str]] = set()
    if await connection.fetchval("SELECT to_regclass('kernel.migrations')"):
        known = {
            (row["room"], row["name"]) for row in await connection.fetch("SELECT room, name FROM kernel.migrations")
        }
    kernel = Path(__file__).parent / "sql" / "migrations"
    folders = [("kernel", kernel), *((room, path / "sql" / "migrations") for room, path in rooms)]
    return [
        f"{room}/{file.name}"
        for room, folder in folders
        for file in sorted(folder.glob("*.sql"))
        if (room, file.name) not in known
    ]


async def make_roles(connection: Connection, rooms: Sequence[str]) -> None:
    """Roles belong to the cluster: another database's migration may be making the same ones just now."""
    for attempt in range(20):
        try:
            for role in ("salerno_app LOGIN NOINHERIT", *GROUPS, *map(room_role, rooms)):
                name = role.split()[0]
                if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", name):
                    await connection.execute(f"CREATE ROLE {role}")
            member_of = [*GROUPS, *map(room_role, rooms)]
            for role in map(room_role, rooms):
                await _grant(connection, "salerno_kernel", role, "INHERIT TRUE")
            owner = await connection.fetchval("SELECT current_user::text")
            for role in member_of:
                await _grant(connection, role, "salerno_app", "INHERIT FALSE")
                # The owner opens a room's rows as that room, when it compares what a rebuild made.
                await _grant(connection, role, owner, "INHERIT FALSE, SET TRUE")
            return
        except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError, asyncpg.InternalServerError):
            if attempt == 19:
                raise
            await asyncio.sleep(0.1)


async def _grant(connection: Connection, role: str, to: str, how: str) -> None:
    modern = connection.get_server_version().major >= 16
    held = await connection.fetchval(
        f"""SELECT true FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid JOIN pg_roles t ON t.oid = m.member
            WHERE r.rolname = $1 AND t.rolname = $2 {"AND m.set_option" if modern else ""}""",
        role,
        to,
    )
    if not held and role != to:
        await connection.execute(f"GRANT {role} TO {to}" + (f" WITH {how}" if modern else ""))


async def _migrate_one(connection: Connection, room: str, folder: Path) -> list[str]:
    applied: list[str] = []
    done = dict(await connection.fetch("SELECT name, sha256 FROM kernel.migrations WHERE room = $1", room))
    files = sorted(folder.glob("*.sql"))  # noqa: ASYNC240 - a handful of files, once
    if ahead := set(done) - {file.name for file in files}:
        raise DatabaseIsAhead(f"{room}: {', '.join(sorted(ahead))}")
    for file in files:
        text = file.read_text("utf-8")
        digest = hashlib.sha256(text.encode()).digest()
        if file.name in done:
            if done[file.name] != digest:
                raise MigrationEdited(f"{room}/{file.name}")
            continue
        async with connection.transaction():
            await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {room}")
            await connection.execute(f"SET LOCAL lock_timeout = '5s'; SET LOCAL search_path = {room}, public")
            await connection.execute(text)
            if room != "kernel":
                await protect(connection, room, room_role(room))
            await connection.execute(
                "INSERT INTO kernel.migrations (room, name, sha256) VALUES ($1, $2, $3)", room, file.name, digest
            )
        applied.append(f"{room}/{file.name}")
    return applied


async def protect(connection: Connection, schema: str, role: str) -> None:
    """Row-level security and grants for every table of a room's schema."""
    await connection.execute(
        f"""GRANT USAGE ON SCHEMA {schema} TO {role};
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
            GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}"""
    )
    tables = await connection.fetch(
        """SELECT c.relname, c.relrowsecurity FROM pg_class c
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organisation' AND NOT a.attisdropped
           WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p')""",
        schema,
    )
    for table in tables:
        if table["relrowsecurity"]:
            continue
        name = re.sub(r"[^a-z0-9_]", "", table["relname"])
        await connection.execute(
            f"""ALTER TABLE {schema}.{name} ENABLE ROW LEVEL SECURITY;
                ALTER TABLE {schema}.{name} FORCE ROW LEVEL SECURITY;
                CREATE POLICY own_organisation ON {schema}.{name} TO {role}
                    USING (organisation = kernel.current_organisation())
                    WITH CHECK (organisation = kernel.current_organisation())"""
        )
