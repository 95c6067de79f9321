"""Erasing a person: the key is destroyed, so that nothing sealed with it opens again, anywhere, ever.

The log stays whole and verifiable: its leaves cover ciphertext. What a restored backup brings back is
erased again from the tombstones before it serves anything.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
import structlog
from msgspec import Struct

from salerno.kernel import eventstore
from salerno.kernel.bus import Bus
from salerno.kernel.database import Connection, Database, room_role, step_into
from salerno.kernel.errors import Invalid, NotFound
from salerno.kernel.events import SubjectErased
from salerno.kernel.messages import Caller, Options
from salerno.kernel.room import Room
from salerno.kernel.transactions import Tx
from salerno.kernel.vault import seal

LOG = structlog.get_logger("salerno.erasure")
ERASURE = "kernel.erasure"
DESTROY = """
    UPDATE kernel.subject_keys SET wrapped = NULL, destroyed_at = $3
    WHERE organisation = $1 AND subject = $2 AND wrapped IS NOT NULL RETURNING key_id"""
BURY = """
    INSERT INTO kernel.tombstones (organisation, subject, erased_at, erased_by, reason) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING"""
TOMBSTONES = """
    SELECT organisation, subject, erased_at, erased_by, reason AS why FROM kernel.tombstones ORDER BY erased_at"""
TABLES_OF_SUBJECTS = """
    SELECT c.relname FROM pg_class c
    JOIN pg_attribute o ON o.attrelid = c.oid AND o.attname = 'organisation' AND NOT o.attisdropped
    JOIN pg_attribute s ON s.attrelid = c.oid AND s.attname = 'subject' AND NOT s.attisdropped
    WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname"""


class Certificate(Struct, frozen=True, kw_only=True):
    """What was done: rows removed by table, and when the key was destroyed."""

    organisation: UUID
    subject: UUID
    erased_at: datetime
    rows: dict[str, int]


async def erase(bus: Bus, rooms: Sequence[Room], caller: Caller, subject: UUID, reason: str) -> Certificate:
    """Destroy the subject's key, remove its rows from every read model, and record that it happened.

    One transaction; a subject without a key (unknown, or erased before) is NotFound.
    """
    if not reason.strip():
        raise Invalid.field("reason", "missing", "An erasure needs a reason.")
    first = rooms[0]
    async with bus.transaction(first, caller, Options()) as tx:
        await tx.begin()
        await _let_readers_finish(tx)
        await step_into(tx.connection, "salerno_kernel", tx.organisation, "kernel")
        if await tx.fetchval(DESTROY, tx.organisation, subject, tx.now) is None:
            raise NotFound()
        key = await tx._key_for(tx.organisation)
        why = seal(key.cipher, reason[:500].encode(), _place_of_reason(tx.organisation, subject))
        await tx.run(BURY, tx.organisation, subject, tx.now, caller.actor, why)
        event = SubjectErased(subject=subject, reason=reason[:500])
        asked = eventstore.Append.of(ERASURE, subject, 0, tx.organisation, key, [event], tx.origin)
        tx.record(asked)
        await tx.flush()
        tx._seen(tx.organisation, key)
        rows: dict[str, int] = {}
        for room in rooms:
            rows |= await _remove_rows(tx.connection, room, tx.organisation, subject)
    bus.vault.forget(caller.organisation, subject)
    LOG.info("subject.erased", organisation=str(caller.organisation), rows=sum(rows.values()))
    return Certificate(organisation=caller.organisation, subject=subject, erased_at=tx.now, rows=rows)


async def _let_readers_finish(tx: Tx) -> None:
    """A room that is just hearing of the subject would write its row after ours were removed."""
    await step_into(tx.connection, "salerno_reader", tx.organisation, "kernel")
    await tx.fetch("SELECT FROM kernel.projection_checkpoints ORDER BY reader FOR UPDATE")
    await tx.fetch("SELECT FROM kernel.access_followers ORDER BY reader FOR UPDATE")


async def _remove_rows(connection: Connection, room: Room, organisation: UUID, subject: UUID) -> dict[str, int]:
    await step_into(connection, room_role(room.name), organisation, room.name)
    removed: dict[str, int] = {}
    for (table,) in await connection.fetch(TABLES_OF_SUBJECTS, room.name):
        tag = await connection.execute(
            f"DELETE FROM {room.name}.{table} WHERE organisation = $1 AND subject = $2", organisation, subject
        )
        if count := int(tag.split()[-1]):
            removed[f"{room.name}.{table}"] = count
    return removed


def _place_of_reason(organisation: UUID, subject: UUID) -> bytes:
    return b"tombstone|%b%b" % (organisation.bytes, subject.bytes)


class Tombstone(Struct, frozen=True, kw_only=True):
    """That somebody was erased: kept beside every backup, so that a restore cannot bring them back.

    `why` is what was typed, as ciphertext under the organisation's own key.
    """

    organisation: UUID
    subject: UUID
    erased_at: datetime
    erased_by: UUID
    why: bytes | None = None


async def tombstones(database: Database) -> list[Tombstone]:
    """Every erasure so far."""
    async with database.context("salerno_reader", None, "kernel") as connection:
        rows = await connection.fetch(TOMBSTONES)
    return [msgspec.convert(dict(row), Tombstone) for row in rows]


async def bury_again(database: Database, rooms: Sequence[Room], stones: Sequence[Tombstone]) -> int:
    """After a restore, before anything is served: erase again whoever the backup brought back."""
    again = 0
    for stone in stones:
        place = ("salerno_kernel", stone.organisation, "kernel")
        async with database.context(*place) as connection, connection.transaction():
            await connection.execute(
                BURY, stone.organisation, stone.subject, stone.erased_at, stone.erased_by, stone.why
            )
            if await connection.fetchval(DESTROY, stone.organisation, stone.subject, stone.erased_at):
                again += 1
            for room in rooms:
                await _remove_rows(connection, room, stone.organisation, stone.subject)
    return again
