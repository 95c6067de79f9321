"""What a leaf covers: every stored column of a record, as the bytes PostgreSQL sends for a composite value.

The form is the server's binary form of `ROW(name of the form, column, column, …)`: the number of fields as four
bytes, and for each field its type's number (four bytes), its length (four bytes, -1 for NULL) and its content; all
numbers big-endian. docs/ledger.md spells it out for those who write their own verifier.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

TEXT, BIGINT, XID8 = 25, 20, 5069


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str


@dataclass(frozen=True)
class Log:
    """An append-only table and the columns that its leaves cover, in order; the first two are its order of commit."""

    name: str
    table: str
    form: str
    columns: tuple[Column, ...]

    @cached_property
    def record(self) -> str:
        """SQL for the bytes that a leaf covers, over the table under the name r."""
        fields = ", ".join(f'r."{column.name}"::{column.type}' for column in self.columns)
        return f"pg_catalog.record_send(ROW('{self.form}'::text, {fields}))"

    @cached_property
    def place_at(self) -> slice:
        """Where a record's bytes hold its position and transaction, which only say where it stands."""
        start = 4 + 8 + len(self.form)
        return slice(start, start + 2 * 16)

    def place(self, position: int, xid: int) -> bytes:
        return struct.pack(">iiqiiQ", BIGINT, 8, position, XID8, 8, xid)


def _columns(text: str) -> tuple[Column, ...]:
    return tuple(Column(*line.split()) for line in text.strip().splitlines())


EVENTS = Log(
    name="events",
    table="kernel.event_store",
    form="salerno.events.v1",
    columns=_columns("""
        position bigint
        xid xid8
        event_id uuid
        aggregate_type text
        aggregate_id uuid
        event_type text
        event_data bytea
        metadata jsonb
        version integer
        hospital_id uuid
        user_id uuid
        timestamp timestamptz
        subject_id uuid
        key_id uuid"""),
)
ACCESS = Log(
    name="access",
    table="kernel.access_log",
    form="salerno.access.v1",
    columns=_columns("""
        position bigint
        xid xid8
        at timestamptz
        organisation uuid
        user_id uuid
        role text
        action text
        category text
        purpose text
        outcome text
        phi boolean
        subjects uuid[]
        address text
        request text"""),
)
LOGS = (EVENTS, ACCESS)


class BadRecord(Exception):
    """The bytes are not of the form that a leaf covers."""


def fields_of(record: bytes) -> Iterator[tuple[int, bytes | None]]:
    """The type number and content of each field."""
    try:
        (count,) = struct.unpack_from(">i", record)
        at = 4
        for _ in range(count):
            kind, length = struct.unpack_from(">Ii", record, at)
            at += 8
            content = None if length < 0 else record[at : at + length]
            if content is not None and len(content) != length:
                raise BadRecord("a field is cut off")
            yield kind, content
            at += max(0, length)
    except struct.error as broken:
        raise BadRecord("the record is cut off") from broken
    if at != len(record):
        raise BadRecord("something follows the last field")


def describe(log: Log, record: bytes) -> dict[str, Any]:
    """What a person may read in a record: never its sealed content."""
    values = [content for _, content in fields_of(record)]
    if len(values) != len(log.columns) + 1 or values[0] != log.form.encode():
        raise BadRecord(f"no record of the form {log.form}")
    named = zip(log.columns, values[1:], strict=True)
    return {column.name: _read(column.type, content) for column, content in named if column.type in _READABLE}


_READABLE: dict[str, Callable[[bytes], Any]] = {
    "bigint": lambda content: struct.unpack(">q", content)[0],
    "xid8": lambda content: struct.unpack(">Q", content)[0],
    "integer": lambda content: struct.unpack(">i", content)[0],
    "uuid": lambda content: str(UUID(bytes=content)),
    "text": lambda content: content.decode(),
}


def _read(type: str, content: bytes | None) -> Any:
    return None if content is None else _READABLE[type](content)
