"""Rotating keys: everything is wrapped again, nothing is encrypted again, and every half-way state opens.

A new wrapping key joins the organisation's ring; subject keys move to it in batches; only then the old one
leaves the ring. The ring itself is closed under the current master key, so that the previous one can be destroyed.
"""

import os
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from salerno.kernel.clock import Clock
from salerno.kernel.database import Connection, Database
from salerno.kernel.vault import KeyRing, OrganisationKeys, Vault, subject_place

BATCH = 500
ORGANISATIONS = "SELECT organisation, master_id FROM kernel.organisation_keys ORDER BY organisation"
RING = "SELECT wrapped, master_id FROM kernel.organisation_keys WHERE organisation = $1 FOR UPDATE"
CLOSE = "UPDATE kernel.organisation_keys SET wrapped = $2, master_id = $3 WHERE organisation = $1"
OLDER = """
    SELECT subject, wrapped FROM kernel.subject_keys
    WHERE organisation = $1 AND wrapped IS NOT NULL AND substring(wrapped FROM 1 FOR 2) <> $2
    ORDER BY subject LIMIT $3 FOR UPDATE"""
REWRAP = "UPDATE kernel.subject_keys SET wrapped = $3 WHERE organisation = $1 AND subject = $2"
COUNTS = """
    SELECT count(*) FILTER (WHERE wrapped IS NOT NULL) AS living, count(*) FILTER (WHERE wrapped IS NULL) AS destroyed
    FROM kernel.subject_keys WHERE organisation = $1"""


class KeyStatus(Struct, frozen=True, kw_only=True):
    """An organisation's keys, without any key: which master wraps them, and how many subjects they serve."""

    organisation: UUID
    master_id: str
    current_master: bool
    living: int
    destroyed: int


async def status(database: Database, vault: Vault) -> list[KeyStatus]:
    async with database.context("salerno_reader", None, "kernel") as connection:
        rows = await connection.fetch(ORGANISATIONS)
    found = []
    for row in rows:
        async with database.context("salerno_kernel", row["organisation"], "kernel") as connection:
            counts = await connection.fetchrow(COUNTS, row["organisation"])
        found.append(
            KeyStatus(
                organisation=row["organisation"],
                master_id=row["master_id"],
                current_master=row["master_id"] == vault.master_id,
                living=counts["living"],
                destroyed=counts["destroyed"],
            )
        )
    return found


async def rotate(database: Database, vault: Vault, clock: Clock) -> int:
    """Give every organisation a new wrapping key under the current master. Answers how many keys were wrapped anew.

    May be stopped and started again at any moment; two at once do no harm.
    """
    moved = 0
    async with database.context("salerno_reader", None, "kernel") as connection:
        organisations = [row["organisation"] for row in await connection.fetch(ORGANISATIONS)]
    for organisation in organisations:
        async with database.context("salerno_kernel", organisation, "kernel") as connection:
            await _add_key(connection, vault, organisation)
            while count := await _move_batch(connection, vault, organisation):
                moved += count
            await _retire(connection, vault, organisation)
    vault.forget_all()
    return moved


async def _ring(connection: Connection, vault: Vault, organisation: UUID) -> KeyRing:
    row = await connection.fetchrow(RING, organisation)
    return vault.open_ring(organisation, row["wrapped"], row["master_id"])


async def _close(connection: Connection, vault: Vault, organisation: UUID, ring: KeyRing) -> None:
    await connection.execute(CLOSE, organisation, vault.close_ring(organisation, ring), vault.master_id)


async def _add_key(connection: Connection, vault: Vault, organisation: UUID) -> None:
    async with connection.transaction():
        ring = await _ring(connection, vault, organisation)
        newest = max(ring.wrapping) + 1
        await _close(connection, vault, organisation, KeyRing({**ring.wrapping, newest: os.urandom(32)}, ring.index))


async def _move_batch(connection: Connection, vault: Vault, organisation: UUID) -> int:
    async with connection.transaction():
        ring = await _ring(connection, vault, organisation)
        keys = OrganisationKeys({number: AESGCM(raw) for number, raw in ring.wrapping.items()}, ring.index)
        rows = await connection.fetch(OLDER, organisation, keys.newest.to_bytes(2, "big"), BATCH)
        for row in rows:
            place = subject_place(organisation, row["subject"])
            raw = keys.unwrap(row["wrapped"], place)
            await connection.execute(REWRAP, organisation, row["subject"], keys.wrap(raw, place))
    return len(rows)


async def _retire(connection: Connection, vault: Vault, organisation: UUID) -> None:
    """Drop the wrapping keys that wrap nothing any more.

    Another process may still wrap a new subject's key with the one it knows; the one before the newest
    therefore stays until the next rotation.
    """
    async with connection.transaction():
        ring = await _ring(connection, vault, organisation)
        kept = {number: raw for number, raw in ring.wrapping.items() if number >= max(ring.wrapping) - 1}
        await _close(connection, vault, organisation, KeyRing(kept, ring.index))
