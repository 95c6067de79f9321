"""Whoever has full control of the database changes history; the verification names what was done."""

import os
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.kernel.ledger_world import World, new_world
from tests.soaking import times

from salerno.kernel.embedded import EmbeddedPostgres
from salerno.kernel.ledger.findings import Kind, Report
from salerno.kernel.ledger.keys import SigningKeys
from salerno.kernel.ledger.records import EVENTS, LOGS, Column, Log
from salerno.kernel.ledger.sealer import Sealer
from salerno.kernel.ledger.surroundings import COLUMNS
from salerno.kernel.ledger.verify import recompute, silent, verify
from salerno.kernel.ledger.witness import WitnessDisagrees

pytestmark = pytest.mark.slow
Connection = Any
COVERED = [(log, column) for log in LOGS for column in log.columns]


@pytest.fixture(scope="module")
async def world(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    world = await new_world(postgres, tmp_path_factory.mktemp("ledger"))
    async with world.superuser.owner() as owner:
        for rounds in (40, 7, 53):
            await world.write(owner, rounds)
            await world.sealer.seal()
    yield world
    await world.end()


@pytest.fixture
async def fresh(postgres: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[World]:
    """Another world, for tests that cannot undo what they do."""
    world = await new_world(postgres, tmp_path)
    yield world
    await world.end()


def said(report: Report) -> list[tuple[str, Kind, int | None]]:
    return [(found.log, found.kind, found.position) for found in report if found.kind is not Kind.STREAM_BROKEN]


async def test_property_15_an_untouched_past_verifies(world: World) -> None:
    report = await verify(world.database, world.keys.origin, world.keys.verifiers(), [world.witness])
    assert list(report) == []
    assert report.sound
    assert [(log.leaves, log.checkpoints, log.witnessed, log.unsealed) for log in report.logs] == [
        (200, 3, 3, 0),
        (100, 3, 3, 0),
    ]


async def test_t086_every_column_of_both_logs_is_covered(world: World) -> None:
    async with world.superuser.owner() as owner:
        for log in LOGS:
            there = await owner.fetch(COLUMNS, log.table)
            assert {row["attname"] for row in there} == {column.name for column in log.columns}


def flipped(type: str, value: Any, chance: random.Random) -> Any:
    """The value with one bit turned; for text and JSON, one that leaves it valid."""
    match type:
        case "bytea":
            return _turned(value, chance)
        case "uuid":
            return UUID(int=value.int ^ 1 << chance.randrange(128))
        case "uuid[]":
            nth = chance.randrange(len(value))
            return [
                UUID(int=each.int ^ 1 << chance.randrange(128)) if at == nth else each for at, each in enumerate(value)
            ]
        case "bigint[]":
            nth = chance.randrange(len(value))
            return [each ^ 1 << chance.randrange(5) if at == nth else each for at, each in enumerate(value)]
        case "bigint" | "xid8" | "integer":
            return int(value) ^ 1 << chance.randrange(5)
        case "timestamptz":
            return value + timedelta(microseconds=1 << chance.randrange(12))
        case "boolean":
            return not value
        case "text" | "jsonb":
            return _flipped_text(type, value, chance)
    raise AssertionError(type)


def _turned(whole: bytes, chance: random.Random) -> bytes:
    at, bit = chance.randrange(len(whole)), chance.randrange(8)
    return whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]


def _flipped_text(type: str, text: str, chance: random.Random) -> str:
    if type == "jsonb":
        changes = (("1.0", "1.00"), ('"x"', '"y"'), ("10:00:00", "10:00:01"), ("size", "rize"))
        return text.replace(*chance.choice(changes))
    while True:
        raw = _turned(text.encode(), chance)
        with suppress(UnicodeDecodeError):
            if 0 not in raw:
                return raw.decode()


async def flip(connection: Connection, log: Log, column: Column, position: int, chance: random.Random) -> None:
    quoted = f'"{column.name}"'
    cast = "text::jsonb" if column.type == "jsonb" else "text::xid8" if column.type == "xid8" else column.type
    shown = f"{quoted}::text" if column.type in ("jsonb", "xid8") else quoted
    value = await connection.fetchval(f"SELECT {shown} FROM {log.table} WHERE position = $1", position)
    while (other := flipped(column.type, value, chance)) == value or (column.type == "integer" and other < 1):
        pass
    if column.type == "xid8":
        other = str(other)
    await connection.execute(f"UPDATE {log.table} SET {quoted} = $1::{cast} WHERE position = $2", other, position)


def names(report: Report, log: Log, position: int) -> bool:
    return any(found.log == log.name and found.position == position for found in report)


@pytest.mark.parametrize(("log", "column"), COVERED, ids=[f"{log.name}-{column.name}" for log, column in COVERED])
async def test_t086_one_bit_in_any_column_is_named(world: World, log: Log, column: Column) -> None:
    chance = random.Random(f"{log.name}{column.name}")
    for position in chance.sample(range(1, 100), 3):
        async with world.rewriting() as connection:
            await flip(connection, log, column, position, chance)
            report = await world.verified(connection)
        assert names(report, log, position)
        if column.name not in ("position", "xid"):
            assert (log.name, Kind.CHANGED, position) == said(report)[0]


async def test_t086_any_bit_anywhere_is_named_every_time(fresh: World) -> None:
    async with fresh.superuser.owner() as owner:
        for rounds in (9, 6):
            await fresh.write(owner, rounds)
            await fresh.sealer.seal()
    chance = random.Random(86)
    for _ in range(times(10_000, part=40)):
        log, column = chance.choice(COVERED)
        position = chance.randrange(1, 31 if log is EVENTS else 16)
        async with fresh.rewriting() as connection:
            await flip(connection, log, column, position, chance)
            assert names(await fresh.verified(connection), log, position), (log.name, column.name, position)


SIGNED = {
    "kernel.ledger_batches": {
        "hashes": "bytea",
        "positions": "bigint[]",
        "leaves": "integer",
        "first": "bigint",
        "last_position": "bigint",
    },
    "kernel.ledger_checkpoints": {"root": "bytea", "size": "bigint", "note": "text"},
}


async def test_t086_any_bit_of_the_ledger_itself_is_named_every_time(world: World) -> None:
    """Of what is verified with; the rest makes finding a proof quick, and a proof proves itself."""
    chance = random.Random(87)
    places = [(table, column, type) for table, columns in SIGNED.items() for column, type in columns.items()]
    for _ in range(times(1_000)):
        table, column, type = chance.choice(places)
        async with world.rewriting() as connection:
            rows = await connection.fetch(f"SELECT ctid::text AS place, {column} AS value FROM {table}")
            row = chance.choice(rows)
            await connection.execute(
                f"UPDATE {table} SET {column} = $1::{type} WHERE ctid = $2::text::tid",
                flipped(type, row["value"], chance), row["place"],
            )  # fmt: skip
            report = await world.verified(connection)
            assert not report.sound, (table, column, row["place"], row["value"])


async def test_t086_a_bit_in_the_edge_that_the_sealer_goes_on_from_is_named(world: World) -> None:
    async with world.rewriting() as connection:
        await connection.execute(
            """UPDATE kernel.ledger_batches b SET frontier = set_bit(frontier, 9, 1 - get_bit(frontier, 9))
               WHERE first = (SELECT max(first) FROM kernel.ledger_batches WHERE log = b.log)"""
        )
        report = await world.verified(connection)
    assert [(found.log, found.kind) for found in report] == [
        ("events", Kind.LEDGER_CHANGED), ("access", Kind.LEDGER_CHANGED)
    ]  # fmt: skip


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.name)
async def test_property_15_a_deleted_record_is_named(world: World, log: Log) -> None:
    async with world.rewriting() as connection:
        await connection.execute(f"DELETE FROM {log.table} WHERE position IN (17, 42)")
        assert said(await world.verified(connection)) == [(log.name, Kind.DELETED, 17), (log.name, Kind.DELETED, 42)]


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.name)
async def test_property_15_an_inserted_record_is_named(world: World, log: Log) -> None:
    names = ", ".join(f'"{column.name}"' for column in log.columns)
    values = ", ".join("7000" if c.name == "position" else f'"{c.name}"' for c in log.columns)
    async with world.rewriting() as connection:
        await connection.execute(
            f"INSERT INTO {log.table} ({names}) SELECT {values} FROM {log.table} WHERE position = 30"
        )
        assert said(await world.verified(connection)) == [(log.name, Kind.INSERTED, 7000)]


async def test_property_15_a_second_record_at_a_taken_position_is_named(world: World) -> None:
    names = ", ".join(f'"{column.name}"' for column in EVENTS.columns)
    values = ", ".join("'\\x00'::bytea" if c.name == "event_data" else f'"{c.name}"' for c in EVENTS.columns)
    values = values.replace('"timestamp"', "\"timestamp\" + interval '1 microsecond'")
    async with world.rewriting() as connection:
        await connection.execute(
            f"INSERT INTO {EVENTS.table} ({names}) SELECT {values} FROM {EVENTS.table} WHERE position = 30"
        )
        assert said(await world.verified(connection)) == [("events", Kind.INSERTED, 30)]


async def test_property_15_two_records_that_changed_places_are_named(world: World) -> None:
    async with world.rewriting() as connection:
        places = await connection.fetch("SELECT position, xid::text FROM kernel.event_store WHERE position IN (20, 90)")
        for start, end in ((20, -1), (90, 20), (-1, 90)):
            xid = dict(places)[20 if end == 20 else 90]
            await connection.execute(
                "UPDATE kernel.event_store SET position = $1, xid = $2::text::xid8 WHERE position = $3", end, xid, start
            )
        report = await world.verified(connection)
    assert said(report) == [("events", Kind.REORDERED, 20), ("events", Kind.REORDERED, 90)]
    sentences = [found.sentence for found in report if found.kind is Kind.REORDERED]
    assert "at position 90 " in sentences[0] and "at position 20 " in sentences[1]


async def test_property_15_a_record_moved_in_the_order_of_commit_is_named(world: World) -> None:
    async with world.rewriting() as connection:
        await connection.execute(
            """UPDATE kernel.event_store
               SET xid = (SELECT xid FROM kernel.event_store WHERE position = 190) WHERE position = 12"""
        )
        (first,) = [found for found in said(await world.verified(connection)) if found[2] == 12]
    assert first[1] in (Kind.CHANGED, Kind.REORDERED)


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.name)
async def test_property_15_a_cut_off_tail_is_named_by_its_first_record(world: World, log: Log) -> None:
    async with world.rewriting() as connection:
        await connection.execute(f"DELETE FROM {log.table} WHERE position >= 60")
        assert said(await world.verified(connection))[0] == (log.name, Kind.TRUNCATED, 60)


async def test_property_15_an_emptied_log_is_named(world: World) -> None:
    async with world.rewriting() as connection:
        await connection.execute("TRUNCATE kernel.access_log")
        report = await world.verified(connection)
    assert said(report)[0] == ("access", Kind.TRUNCATED, 1)
    assert len(said(report)) == 100


async def test_property_15_log_and_ledger_cut_back_together_are_a_restored_past(world: World) -> None:
    async with world.rewriting() as connection:
        await connection.execute("DELETE FROM kernel.event_store WHERE position > 94")
        await connection.execute("DELETE FROM kernel.ledger_batches WHERE log = 'events' AND first >= 94")
        await connection.execute("DELETE FROM kernel.ledger_checkpoints WHERE log = 'events' AND size > 94")
        report = await world.verified(connection)
    assert [(found.kind, found.leaf, found.sentence) for found in report if found.kind is not Kind.STREAM_BROKEN] == [
        (Kind.RESTORED_PAST, 94, "the witness knows 200 records, the ledger here 94")
    ]


async def test_property_15_a_record_rewritten_together_with_its_leaf_is_still_named(world: World) -> None:
    """The administrator also fits the ledger to the forged record; the witness has the leaf as it was."""
    async with world.rewriting() as connection:
        await connection.execute("UPDATE kernel.event_store SET event_type = 'test.forged.v1' WHERE position = 85")
        await refit_the_ledger(connection, EVENTS, 85)
        report = await world.verified(connection)
    assert said(report) == [("events", Kind.LEDGER_CHANGED, 85), ("events", Kind.CHANGED, 85)]


async def test_property_15_without_the_witness_leaves_the_run_of_leaves_is_named(world: World) -> None:
    async with world.rewriting() as connection:
        await connection.execute("UPDATE kernel.event_store SET event_type = 'test.forged.v1' WHERE position = 85")
        await refit_the_ledger(connection, EVENTS, 85)
        report = await recompute(connection, world.keys.origin, world.keys.verifiers(), [], silent)
    assert [(found.kind, found.leaf) for found in report] == [(Kind.REWRITTEN, 80)]


async def refit_the_ledger(connection: Connection, log: Log, position: int) -> None:
    leaf = await connection.fetchval(
        f"SELECT sha256('\\x00'::bytea || {log.record}) FROM {log.table} r WHERE position = $1", position
    )
    await connection.execute(
        """UPDATE kernel.ledger_batches
           SET hashes = overlay(hashes PLACING $3 FROM 32 * (array_position(positions, $2) - 1) + 1)
           WHERE log = $1 AND $2 = ANY(positions)""",
        log.name, position, leaf,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE kernel.ledger_checkpoints SET note = replace(note, '94', '93') WHERE size = 94", Kind.BAD_SIGNATURE),
        ("UPDATE kernel.ledger_checkpoints SET root = sha256('x') WHERE size = 94", Kind.LEDGER_CHANGED),
        ("DELETE FROM kernel.ledger_checkpoints WHERE size = 94", Kind.CHECKPOINT_LOST),
        ("UPDATE kernel.ledger_batches SET hashes = set_byte(hashes, 40, 7) WHERE first = 0", Kind.LEDGER_CHANGED),
        ("UPDATE kernel.ledger_batches SET hashes = substr(hashes, 33) WHERE first = 0", Kind.LEDGER_CHANGED),
        ("DELETE FROM kernel.ledger_batches WHERE first = 80 AND log = 'events'", Kind.LEDGER_CHANGED),
        ("UPDATE kernel.streams SET version = version - 1", Kind.STREAM_BROKEN),
        ("DELETE FROM kernel.streams", Kind.STREAM_BROKEN),
        ("ALTER TABLE kernel.event_store DISABLE TRIGGER USER", Kind.GUARD_OFF),
        ("ALTER TABLE kernel.event_store ADD COLUMN note text", Kind.NOT_COVERED),
        ("ALTER TABLE kernel.event_store DETACH PARTITION kernel.event_store_2026_03", Kind.PARTITION_DETACHED),
    ],
)  # fmt: skip
async def test_property_15_meddling_with_what_surrounds_the_log_is_named(
    world: World, statement: str, kind: Kind
) -> None:
    async with world.rewriting() as connection:
        await connection.execute(statement)
        assert kind in {found.kind for found in await world.verified(connection)}


async def test_property_15_a_flipped_byte_in_the_witness_is_named(world: World, tmp_path: Path) -> None:
    chance = random.Random(15)
    for path in world.witness.folder.rglob("*.*"):
        whole = path.read_bytes()
        path.chmod(0o644)
        path.write_bytes(_turned(whole, chance))
        async with world.rewriting() as connection:
            report = await world.verified(connection)
        path.write_bytes(whole)
        assert not report.sound, path


async def test_a_key_that_nobody_published_convinces_nobody(world: World, tmp_path: Path) -> None:
    strangers = SigningKeys(tmp_path, os.urandom(32)).open().verifiers()
    report = await verify(world.database, world.keys.origin, strangers, [world.witness])
    assert {found.kind for found in report} == {Kind.BAD_SIGNATURE}


async def test_checkpoints_of_an_older_key_stay_valid(fresh: World) -> None:
    async with fresh.superuser.owner() as owner:
        await fresh.write(owner, 3)
        await fresh.sealer.seal()
        fresh.keys.rotate()
        await fresh.write(owner, 3)
        await fresh.sealer.seal()
    report = await verify(fresh.database, fresh.keys.origin, fresh.keys.verifiers(), [fresh.witness])
    assert report.sound and report.logs[0].checkpoints == 2
    assert len({str(each) for each in fresh.keys.verifiers() if each.name.endswith("/events")}) == 2


async def test_t088_an_erased_person_leaves_every_proof_intact(fresh: World) -> None:
    async with fresh.superuser.owner() as owner:
        await fresh.write(owner, 5)
        await fresh.sealer.seal()
        await owner.execute("UPDATE kernel.subject_keys SET wrapped = NULL, destroyed_at = now()")
    report = await verify(fresh.database, fresh.keys.origin, fresh.keys.verifiers(), [fresh.witness])
    assert report.sound and report.logs[0].leaves == 10


async def test_property_15_a_restored_past_is_not_signed_over(fresh: World) -> None:
    async with fresh.superuser.owner() as owner:
        await fresh.write(owner, 5)
        await fresh.sealer.seal()
        await fresh.write(owner, 5)
        await fresh.sealer.seal()
        for table in ("event_store", "ledger_batches", "ledger_checkpoints"):
            await owner.execute(f"ALTER TABLE kernel.{table} DISABLE TRIGGER USER")
        await owner.execute("DELETE FROM kernel.event_store WHERE position > 10")
        await owner.execute("DELETE FROM kernel.ledger_batches WHERE log = 'events' AND first >= 10")
        await owner.execute("DELETE FROM kernel.ledger_checkpoints WHERE log = 'events' AND size > 10")
        await owner.execute("DELETE FROM kernel.streams")
        fresh.versions = dict.fromkeys(fresh.streams, 0)
        fresh.streams = [uuid4() for _ in range(5)]
        fresh.versions = dict.fromkeys(fresh.streams, 0)
        await fresh.write(owner, 8)
    with pytest.raises(WitnessDisagrees, match="a checkpoint of 20 records that the database does not"):
        await fresh.sealer.seal()


async def test_a_witness_that_was_away_is_shown_all_that_it_missed(fresh: World, tmp_path: Path) -> None:
    alone = Sealer(fresh.database, fresh.clock, fresh.keys, [])
    async with fresh.superuser.owner() as owner:
        for _ in range(3):
            await fresh.write(owner, 2)
            await alone.seal()
    await fresh.sealer.seal()
    origin = fresh.keys.origin("events")
    assert [note.size for note in fresh.witness.notes(origin)] == [4, 8, 12]
    assert [len(run) for run in fresh.witness.leaves(origin)] == [128, 128, 128]
    assert (await verify(fresh.database, fresh.keys.origin, fresh.keys.verifiers(), [fresh.witness])).sound


async def test_after_a_restored_dump_sealing_goes_on_from_where_it_was(fresh: World) -> None:
    """The rows bring transaction numbers of another server, far ahead of this one's counter."""
    async with fresh.superuser.owner() as owner:
        await fresh.write(owner, 4)
        await owner.execute("SET session_replication_role = replica")
        await owner.execute("UPDATE kernel.event_store SET xid = (xid::text::bigint + 1000000)::text::xid8")
        await owner.execute("SET session_replication_role = origin")
    await fresh.sealer.rebase()
    async with fresh.superuser.owner() as owner:
        await fresh.write(owner, 6)
    await fresh.sealer.seal()
    report = await verify(fresh.database, fresh.keys.origin, fresh.keys.verifiers(), [fresh.witness])
    assert list(report) == []
    assert (report.logs[0].leaves, report.logs[0].unsealed) == (20, 0)


async def test_a_record_is_not_sealed_before_those_that_may_still_commit_before_it(fresh: World) -> None:
    async with fresh.superuser.owner() as slow, fresh.superuser.owner() as fast:
        late = slow.transaction()
        await late.start()
        await fresh.write(slow, 1)
        fresh.streams.reverse()
        await fresh.write(fast, 1)
        assert (await fresh.sealer.seal())["events"].size == 0
        await late.commit()
        assert (await fresh.sealer.seal())["events"].size == 4
    report = await verify(fresh.database, fresh.keys.origin, fresh.keys.verifiers(), [fresh.witness])
    assert report.sound


FORBIDDEN = [
    f"{verb} kernel.{table}{rest}"
    for table in ("event_store", "access_log", "ledger_batches", "ledger_epochs", "ledger_checkpoints")
    for verb, rest in (
        ("UPDATE", " SET {column} = {column}"),
        ("DELETE FROM", ""),
        ("TRUNCATE", ""),
        ("ALTER TABLE", " DISABLE TRIGGER ALL"),
        ("ALTER TABLE", " ADD COLUMN x int"),
        ("DROP TABLE", ""),
    )
]
COLUMN = {"event_store": "version", "access_log": "role", "ledger_epochs": "above"}


@pytest.mark.parametrize(
    "role", ["salerno_app", "salerno_kernel", "salerno_reader", "salerno_access", "salerno_ledger"]
)
async def test_t089_no_role_of_the_application_rewrites_history(world: World, role: str) -> None:
    connection = await asyncpg.connect(world.database.url)
    await connection.execute(f"SET ROLE {role}")
    for statement in FORBIDDEN:
        column = next((name for table, name in COLUMN.items() if table in statement), "log")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement.format(column=column))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("SET session_replication_role = replica")
    await connection.close()


@pytest.mark.parametrize("table", ["event_store", "access_log", "ledger_batches", "ledger_checkpoints"])
async def test_t089_even_the_owner_meets_the_trigger(world: World, table: str) -> None:
    async with world.database.owner() as owner:
        for statement in (f"DELETE FROM kernel.{table}", f"TRUNCATE kernel.{table}"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                await owner.execute(statement)
