"""What surrounds the rows: streams without gaps, partitions in place, guards on, no column outside the leaves."""

import re

from salerno.kernel.database import Connection
from salerno.kernel.ledger.findings import Kind, LogReport
from salerno.kernel.ledger.records import EVENTS, Log

LONG = 3600.0
STREAMS = """
    SELECT coalesce(e.organisation, s.organisation) AS organisation, coalesce(e.stream, s.aggregate_id) AS stream,
           coalesce(e.kind, s.aggregate_type) AS kind, s.version AS head, e.events, e.versions, e.low, e.high
    FROM (SELECT hospital_id AS organisation, aggregate_id AS stream, aggregate_type AS kind, count(*) AS events,
                 count(DISTINCT version) AS versions, min(version) AS low, max(version) AS high
          FROM kernel.event_store GROUP BY 1, 2, 3) e
    FULL JOIN kernel.streams s
      ON s.organisation = e.organisation AND s.aggregate_id = e.stream AND s.aggregate_type = e.kind
    WHERE s.version IS NULL OR e.events IS NULL OR e.low <> 1 OR e.high <> s.version OR e.events <> s.version
       OR e.versions <> s.version
    ORDER BY kind, stream LIMIT 200"""
COLUMNS = """
    SELECT a.attname FROM pg_attribute a
    WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""
LOOSE = """
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'kernel'::regnamespace AND c.relkind IN ('r', 'f', 'v', 'm') AND NOT c.relispartition
      AND c.relname ~ $1"""
KIND = "SELECT relkind::text FROM pg_class WHERE oid = $1::text::regclass"
GUARDS = """
    SELECT count(*) FROM pg_trigger
    WHERE tgrelid = $1::text::regclass AND tgenabled IN ('O', 'A') AND tgname LIKE '%append_only'"""


PAGE = re.compile(r'block (\d+) of relation "?base/(\d+)/(\d+)')
RELATION = "SELECT c.relname, c.relkind::text FROM pg_class c WHERE c.oid = pg_filenode_relation(0, $1::bigint::oid)"


async def name_page(connection: Connection, log: Log, error: Exception, report: LogReport) -> None:
    """Damage below the rows: which page it is in, and after which record."""
    found = PAGE.search(str(error))
    row = await connection.fetchrow(RELATION, int(found[3])) if found else None
    if found is None or row is None:
        report.add(Kind.UNREADABLE, "the database cannot read all of it: restore a backup")
        return
    what = "table" if row["relkind"] == "r" else "index"
    sentence = f"page {found[1]} of the {what} kernel.{row['relname']} is damaged on the disk: restore a backup"
    before = None
    if row["relkind"] == "r" and row["relname"].startswith(log.table.rpartition(".")[2]):
        before = await connection.fetchval(
            f"""SELECT max(position) FROM {log.table}
                WHERE tableoid = $1::text::regclass AND ctid < '({found[1]},0)'::tid""",
            f"kernel.{row['relname']}",
        )
        sentence += f". Its first record follows position {before or 0}"
    report.add(Kind.UNREADABLE, sentence, before + 1 if before else None)


async def look_around(connection: Connection, log: Log, report: LogReport) -> None:
    await _partitions(connection, log, report)
    await _columns(connection, log, report)
    if not await connection.fetchval(GUARDS, log.table):
        report.add(Kind.GUARD_OFF, "the trigger that keeps the log append-only is switched off or gone")
    if log is EVENTS:
        await _streams(connection, report)


async def _streams(connection: Connection, report: LogReport) -> None:
    for row in await connection.fetch(STREAMS, timeout=LONG):
        sentence = (
            f"{row['kind']} {row['stream']} has {row['events'] or 0} events "
            f"(versions {row['low']} to {row['high']}), its head says {row['head']}"
        )
        report.add(Kind.STREAM_BROKEN, sentence)


async def _partitions(connection: Connection, log: Log, report: LogReport) -> None:
    if await connection.fetchval(KIND, log.table) != "p":
        report.add(Kind.PARTITION_DETACHED, f"{log.table} is not the partitioned table it was made as")
    name = re.escape(log.table.rpartition(".")[2])
    for row in await connection.fetch(LOOSE, rf"^{name}_\d{{4}}_\d\d"):
        report.add(Kind.PARTITION_DETACHED, f"kernel.{row['relname']} does not belong to the log any more")


async def _columns(connection: Connection, log: Log, report: LogReport) -> None:
    there = [row["attname"] for row in await connection.fetch(COLUMNS, log.table)]
    for name in sorted(set(there) - {column.name for column in log.columns}):
        report.add(Kind.NOT_COVERED, f"column {name} is not covered by the leaves")
