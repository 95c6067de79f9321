"""Everything of one organisation in open formats: JSON, one record a line, nothing sealed any more."""

import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from salerno.kernel import eventstore
from salerno.kernel.bus import Bus
from salerno.kernel.database import Connection, Row, room_role, step_into
from salerno.kernel.documents import Documents
from salerno.kernel.errors import Invalid, NotFound
from salerno.kernel.messages import Caller
from salerno.kernel.room import Room
from salerno.kernel.transactions import Tx

FORMAT = "salerno-export.v1"
PAGE = 500
WHOSE = 1_000  # subjects named in one line of the access log
LONG = 3600.0
SUBJECTS = "SELECT DISTINCT subject FROM kernel.streams WHERE organisation = $1 ORDER BY subject"
TOTAL = "SELECT coalesce(sum(version), 0) FROM kernel.streams WHERE organisation = $1"
EVENTS = f"""
    SELECT {eventstore.COLUMNS} FROM kernel.event_store WHERE hospital_id = $1 ORDER BY aggregate_id, version"""
ACCESS = """
    SELECT position, at, user_id, role, action, category, purpose, outcome, phi, subjects, address, request
    FROM kernel.access_log WHERE organisation = $1 ORDER BY at, position"""
DOCUMENTS = "SELECT id, subject, version, recorded_at, doc FROM {} WHERE organisation = $1 ORDER BY id"
README = """\
Everything that this installation of Salerno held of one organisation, in UTF-8, one JSON object a line.

events/KIND.ndjson       every event of every aggregate of that kind, in order within each aggregate
documents/TABLE.ndjson   the present state of every record, made from those events
access.ndjson            who has looked at what, and when
export.json              the number of lines and the SHA-256 of each file

Of people who were erased nothing is left to export but the number of their events ("erased" in export.json).
`salerno schemas` writes the JSON Schema of every event.
"""

Told = Callable[[int, int], None]  # events done, events in all


class File(Struct, frozen=True, kw_only=True):
    path: str
    records: int
    sha256: str


class Exported(Struct, frozen=True, kw_only=True):
    """What an export holds. `erased` events belong to people whose key was destroyed."""

    format: str
    organisation: UUID
    at: str
    events: int
    erased: int
    files: list[File]


async def export(bus: Bus, caller: Caller, to: Path, told: Told) -> Exported:
    """Write everything of the caller's organisation into a new folder, under one snapshot of the database.

    Whose data it opens is in the access log, durably, before the first record is read.
    """
    half = _begin(to)
    try:
        await _write_down(bus, caller)
        done = await _fill(bus, caller, half, told)
    except BaseException:
        shutil.rmtree(half)  # what lies in it is opened
        raise
    half.rename(to)
    return done


async def _fill(bus: Bus, caller: Caller, half: Path, told: Told) -> Exported:
    shelf = _Shelf(half)
    async with (
        bus.database.context("salerno_kernel", caller.organisation, "kernel") as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        events, erased = await _events(bus, connection, caller.organisation, shelf, told)
        await _access(connection, caller.organisation, shelf)
        for room in bus.rooms.values():
            for documents in room.documents:
                await _documents(bus, connection, caller.organisation, room, documents, shelf)
    done = Exported(
        format=FORMAT, organisation=caller.organisation, at=bus.clock.now().isoformat(),
        events=events, erased=erased, files=shelf.close(),
    )  # fmt: skip
    (half / "export.json").write_bytes(msgspec.json.format(msgspec.json.encode(done), indent=1))
    (half / "README.txt").write_text(README, "utf-8")
    return done


def _begin(to: Path) -> Path:
    """One that was cut off is thrown away; a folder called `to` is always a whole one."""
    if to.exists():
        raise Invalid(f"{to} is there already. An export is written into a new folder.")
    half = to.with_name(f"{to.name}.partial")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True, mode=0o700)
    return half


async def _write_down(bus: Bus, caller: Caller) -> None:
    async with bus.database.context("salerno_kernel", caller.organisation, "kernel") as connection:
        rows = await connection.fetch(SUBJECTS, caller.organisation, timeout=LONG)
    subjects = [UUID(bytes=row[0].bytes) for row in rows]
    if not subjects:
        raise NotFound("There is no such organisation. `salerno organisations` lists them.")
    for start in range(0, len(subjects), WHOSE):
        await bus.access_log.record(caller, "Export", "everything", "disclosed", subjects[start : start + WHOSE])


async def _pages(connection: Connection, sql: str, organisation: UUID) -> AsyncIterator[list[Row]]:
    cursor = await connection.cursor(sql, organisation, timeout=LONG)
    while page := await cursor.fetch(PAGE):
        yield list(page)


async def _events(bus: Bus, connection: Connection, organisation: UUID, shelf: "_Shelf", told: Told) -> tuple[int, int]:
    total = int(await connection.fetchval(TOTAL, organisation))
    now, read, written = bus.clock.now(), 0, 0
    async for rows in _pages(connection, EVENTS, organisation):
        items = await eventstore.open_rows(connection, bus.vault, bus.catalogue, organisation, rows, now)
        for item in items:
            shelf.add(f"events/{item.kind}.ndjson", item)
        read, written = read + len(rows), written + len(items)
        told(read, total)
    return written, read - written


async def _access(connection: Connection, organisation: UUID, shelf: "_Shelf") -> None:
    async for rows in _pages(connection, ACCESS, organisation):
        for row in rows:
            shelf.add("access.ndjson", dict(row))


async def _documents(
    bus: Bus, connection: Connection, organisation: UUID, room: Room, documents: Documents[Any], shelf: "_Shelf"
) -> None:
    await step_into(connection, room_role(room.name), organisation, room.name)
    tx = Tx(bus, room, connection, organisation, bus.clock.now())
    async for rows in _pages(connection, DOCUMENTS.format(documents.table), organisation):
        for held in await documents.open(tx, rows):
            line = {
                "id": held.id, "subject": held.subject, "version": held.version, "recorded_at": held.recorded_at,
                "document": held.doc,
            }  # fmt: skip
            shelf.add(f"documents/{room.name}.{documents.table}.ndjson", line)


class _Shelf:
    """The files of one export, each opened by the first record for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Any] = {}
        self._counts: dict[str, int] = {}
        self._encoder = msgspec.json.Encoder(enc_hook=str)

    def add(self, path: str, record: Any) -> None:
        file = self._files.get(path) or self._open(path)
        file.write(self._encoder.encode(record) + b"\n")
        self._counts[path] += 1

    def _open(self, path: str) -> Any:
        whole = self._folder / path
        whole.parent.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._files[path] = os.fdopen(handle, "wb")
        self._counts[path] = 0
        return self._files[path]

    def close(self) -> list[File]:
        return [self._close(path, file) for path, file in sorted(self._files.items())]

    def _close(self, path: str, file: Any) -> File:
        file.close()
        with (self._folder / path).open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        return File(path=path, records=self._counts[path], sha256=digest)
