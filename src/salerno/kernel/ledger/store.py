"""The ledger's own tables, and the logs as the ledger reads them. Role salerno_ledger."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from salerno.kernel.database import Connection, Row
from salerno.kernel.ledger.merkle import Frontier
from salerno.kernel.ledger.records import Log

LOCK = 0x5A1E2A1
TILE = 8  # runs of 2**8 leaves have their root stored, so that a proof need not read every leaf

HEAD = """
    SELECT b.first + b.leaves AS size, b.frontier, b.last_xid::text AS last_xid, b.last_position, b.above,
           (SELECT e.above FROM kernel.ledger_epochs e WHERE e.log = $1 AND e.first = b.first + b.leaves) AS from_here
    FROM kernel.ledger_batches b WHERE b.log = $1 ORDER BY b.first DESC LIMIT 1"""
ADD_EPOCH = """
    INSERT INTO kernel.ledger_epochs (log, first, above, made_at)
    SELECT $1, max(first + leaves), max(high_position), $2 FROM kernel.ledger_batches WHERE log = $1
    HAVING count(*) > 0 ON CONFLICT DO NOTHING"""
ADD_BATCH = """
    INSERT INTO kernel.ledger_batches (log, first, leaves, positions, hashes, tiles, frontier, low_position,
                                       high_position, last_xid, last_position, above, sealed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::xid8, $11, $12, $13)"""
ADD_CHECKPOINT = "INSERT INTO kernel.ledger_checkpoints (log, size, root, note, signed_at) VALUES ($1, $2, $3, $4, $5)"
NEWEST_CHECKPOINT = "SELECT size, root, note FROM kernel.ledger_checkpoints WHERE log = $1 ORDER BY size DESC LIMIT 1"
CHECKPOINT_AT = "SELECT size, root, note FROM kernel.ledger_checkpoints WHERE log = $1 AND size = $2"
CHECKPOINTS_ABOVE = """
    SELECT size, root, note FROM kernel.ledger_checkpoints WHERE log = $1 AND size > $2 ORDER BY size"""
BATCHES = """
    SELECT first, leaves, positions, hashes, tiles, last_xid::text AS last_xid, last_position, above, sealed_at
    FROM kernel.ledger_batches WHERE log = $1 AND first + leaves > $2 AND first < $3 ORDER BY first"""
SEALED_AT_POSITION = """
    SELECT first + array_position(positions, $2) - 1 AS index FROM kernel.ledger_batches
    WHERE log = $1 AND high_position >= $2 AND low_position <= $2 AND $2 = ANY(positions) LIMIT 1"""


@dataclass(frozen=True, slots=True)
class Head:
    """How far the sealer has come: the tree, and the place in commit order of its last leaf."""

    frontier: Frontier
    xid: str = "0"
    position: int = 0
    above: int = 0


class Span(Protocol):
    """A part of a log between two places in commit order: after `start`, up to and with `end`."""

    @property
    def above(self) -> int: ...
    @property
    def start(self) -> tuple[str, int]: ...
    @property
    def end(self) -> tuple[str, int]: ...


async def head(connection: Connection, log: Log) -> Head:
    row = await connection.fetchrow(HEAD, log.name)
    if row is None:
        return Head(Frontier())
    frontier = Frontier.from_bytes(row["size"], row["frontier"])
    if row["from_here"] is not None:
        return Head(frontier, above=row["from_here"])
    return Head(frontier, row["last_xid"], row["last_position"], row["above"])


async def unsealed(connection: Connection, log: Log, after: Head, limit: int, settled: bool = False) -> list[Row]:
    """Position, transaction and leaf hash of the next records in commit order.

    Transactions that are still open, and those after the oldest open one, wait; unless it is known that
    all is `settled`, as after a restore, when the server's counter says nothing about the rows.
    """
    bound = "" if settled else "AND r.xid < pg_snapshot_xmin(pg_current_snapshot())"
    return list(
        await connection.fetch(
            f"""SELECT r.position, r.xid::text AS xid, pg_catalog.sha256('\\x00'::bytea || {log.record}) AS hash
                FROM {log.table} r
                WHERE (r.xid, r.position) > ($1::text::xid8, $2) AND r.position > $3 {bound}
                ORDER BY r.xid, r.position LIMIT $4""",
            after.xid,
            after.position,
            after.above,
            limit,
        )
    )


async def add_batch(
    connection: Connection,
    log: Log,
    before: Head,
    rows: list[Row],
    tiles: list[bytes],
    frontier: Frontier,
    at: datetime,
) -> None:
    positions = [row["position"] for row in rows]
    await connection.execute(
        ADD_BATCH,
        log.name,
        frontier.size - len(rows),
        len(rows),
        positions,
        b"".join(row["hash"] for row in rows),
        b"".join(tiles),
        frontier.to_bytes(),
        min(positions),
        max(positions),
        rows[-1]["xid"],
        rows[-1]["position"],
        before.above,
        at,
    )


async def leaves(connection: Connection, log: Log, low: int, high: int) -> bytes:
    """The leaf hashes of indexes [low, high), end to end."""
    found = bytearray()
    async for batch in batches(connection, log, low, high):
        start, end = max(low, batch["first"]), min(high, batch["first"] + batch["leaves"])
        found += batch["hashes"][32 * (start - batch["first"]) : 32 * (end - batch["first"])]
    return bytes(found)


async def batches(connection: Connection, log: Log, low: int, high: int) -> AsyncIterator[Row]:
    if connection.is_in_transaction():
        async for row in connection.cursor(BATCHES, log.name, low, high, prefetch=50):
            yield row
    else:
        for row in await connection.fetch(BATCHES, log.name, low, high):
            yield row


async def pages(connection: Connection, log: Log, span: "Span", size: int) -> AsyncIterator[list[Row]]:
    """The rows that lie between two places in commit order, as the bytes that leaves cover."""
    statement = f"""
        SELECT r.position, r.xid::text AS xid, {log.record} AS record FROM {log.table} r
        WHERE (r.xid, r.position) > ($1::text::xid8, $2) AND (r.xid, r.position) <= ($3::text::xid8, $4)
          AND r.position > $5
          AND r.position <= coalesce((SELECT min(above) FROM kernel.ledger_epochs WHERE log = $6 AND above > $5),
                                     9223372036854775807)
        ORDER BY r.xid, r.position"""
    cursor = await connection.cursor(statement, *span.start, *span.end, span.above, log.name)
    while page := await cursor.fetch(size):
        yield list(page)


async def count_unsealed(connection: Connection, log: Log, last: Head) -> int:
    """Records that no leaf covers yet."""
    return int(
        await connection.fetchval(
            f"SELECT count(*) FROM {log.table} r WHERE (r.xid, r.position) > ($1::text::xid8, $2) AND r.position > $3",
            last.xid,
            last.position,
            last.above,
        )
    )


async def count_at(connection: Connection, log: Log, position: int) -> int:
    return int(await connection.fetchval(f"SELECT count(*) FROM {log.table} WHERE position = $1", position))
