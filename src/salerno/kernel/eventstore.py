"""The log: appending to a stream, loading it, and turning stored rows into events and back."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from salerno.kernel.clock import uuid7
from salerno.kernel.database import Connection, Row, sqlstate
from salerno.kernel.errors import Gone, VersionConflict
from salerno.kernel.messages import Event, Origin, Recorded
from salerno.kernel.vault import SubjectKey, Vault, seal, unseal

T = TypeVar("T", bound=Struct)
Upcaster: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]

APPEND = "SELECT kernel.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
LOAD = """
    SELECT s.version, s.subject, k.key_id, k.wrapped, n.version AS snapshot_version, n.shape, n.state, e.types, e.data
    FROM kernel.streams s
    JOIN kernel.subject_keys k ON k.organisation = s.organisation AND k.subject = s.subject
    LEFT JOIN kernel.aggregate_snapshots n
      ON n.organisation = s.organisation AND n.aggregate_id = s.aggregate_id AND n.aggregate_type = s.aggregate_type
     AND n.shape = $4
    LEFT JOIN LATERAL (
        SELECT array_agg(event_type ORDER BY version) AS types, array_agg(event_data ORDER BY version) AS data
        FROM kernel.event_store
        WHERE hospital_id = s.organisation AND aggregate_id = s.aggregate_id AND aggregate_type = s.aggregate_type
          AND version > coalesce(n.version, 0) AND "timestamp" BETWEEN s.first_at AND s.last_at
    ) e ON true
    WHERE s.organisation = $1 AND s.aggregate_type = $2 AND s.aggregate_id = $3"""
COLUMNS = """position, xid::text AS xid, event_id, aggregate_type, aggregate_id, event_type, event_data, metadata,
    version, hospital_id, user_id, "timestamp", subject_id"""
OF_STREAM = f"""
    SELECT {COLUMNS} FROM kernel.event_store
    WHERE hospital_id = $1 AND aggregate_type = $2 AND aggregate_id = $3 AND "timestamp" <= $4 ORDER BY version"""
OF_SUBJECTS = f"""
    SELECT {COLUMNS} FROM kernel.event_store
    WHERE hospital_id = $1 AND subject_id = ANY($2) AND aggregate_type = ANY($3)
      AND CASE WHEN $5 THEN coalesce((metadata->>'source_recorded_at')::timestamptz, "timestamp")
               ELSE "timestamp" END <= $4
    ORDER BY position"""
KEEP_SNAPSHOT = """
    INSERT INTO kernel.aggregate_snapshots (organisation, aggregate_type, aggregate_id, version, shape, state)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (organisation, aggregate_id, aggregate_type)
    DO UPDATE SET version = excluded.version, shape = excluded.shape, state = excluded.state"""


class _Metadata(Struct, frozen=True, omit_defaults=True):
    """What the log keeps of an event's origin beside its own columns."""

    happened_at: datetime
    correlation: UUID
    causation: UUID | None = None
    source_recorded_at: datetime | None = None
    role: str = ""
    request: str = ""


FRESH = 2_000  # events remembered
_metadata = msgspec.json.Decoder(_Metadata)
_encode = msgspec.json.Encoder()


class UnknownEvent(Exception):
    """The log holds an event that this version cannot read: parked, never lost."""


class Catalogue:
    """Every event that the rooms may have written, by its stored name; and how older ones are read today."""

    def __init__(self, events: Iterable[type[Event]], upcasters: dict[str, tuple[str, Upcaster]] | None = None) -> None:
        self._decoders: dict[str, msgspec.json.Decoder[Any]] = {}
        self.types: dict[str, type[Event]] = {}
        for event in events:
            name = name_of(event)
            if name in self._decoders:
                raise ValueError(f"two events are called {name}")
            self._decoders[name] = decoder_of(event)
            self.types[name] = event
        self._upcasters = upcasters or {}
        self._fresh: dict[UUID, Recorded[Any]] = {}

    def remember(self, items: Sequence[Recorded[Any]]) -> None:
        """What this process wrote a moment ago and committed: its readers of the log need not open it again."""
        for item in items:
            self._fresh[item.id] = item
        while len(self._fresh) > FRESH:
            del self._fresh[next(iter(self._fresh))]

    def remembered(self, id: UUID) -> Recorded[Any] | None:
        return self._fresh.get(id)

    def decode(self, name: str, data: bytes) -> Any:
        if decoder := self._decoders.get(name):
            return decoder.decode(data)
        if name not in self._upcasters:
            raise UnknownEvent(name)
        content = msgspec.json.decode(data)
        while name in self._upcasters:
            name, upcast = self._upcasters[name]
            content = upcast(content)
        if name not in self.types:
            raise UnknownEvent(name)
        return msgspec.convert({**content, "type": name}, self.types[name])


@cache
def decoder_of(shape: type[T]) -> "msgspec.json.Decoder[T]":
    return msgspec.json.Decoder(shape)


def name_of(event: type[Event]) -> str:
    """The stored, versioned name, such as "patients.patient_registered.v1"."""
    return str(event.__struct_config__.tag)


def place_of(organisation: UUID, kind: str, stream: UUID, version: int, name: str) -> bytes:
    """Where an event's ciphertext opens, and nowhere else."""
    return b"event|%b%b%d|%b|%b" % (organisation.bytes, stream.bytes, version, kind.encode(), name.encode())


class Stream(Struct, frozen=True):
    """A stream as loaded: its head, its subject's key, the newest usable snapshot and the events after it."""

    version: int
    subject: UUID
    key: SubjectKey
    snapshot: bytes | None
    snapshot_version: int
    events: list[Any]


async def load_stream(
    connection: Connection,
    vault: Vault,
    catalogue: Catalogue,
    organisation: UUID,
    kind: str,
    stream: UUID,
    shape: str,
    now: datetime,
) -> Stream | None:
    row = await connection.fetchrow(LOAD, organisation, kind, stream, shape)
    if row is None:
        return None
    key = await _key_of_row(connection, vault, organisation, row, now)
    first = row["snapshot_version"] or 0
    events = [
        catalogue.decode(name, unseal(key.cipher, data, place_of(organisation, kind, stream, first + nth, name)))
        for nth, (name, data) in enumerate(zip(row["types"] or (), row["data"] or (), strict=True), 1)
    ]
    if first + len(events) != row["version"]:
        # A commit slipped between head and events of this statement: the head decides at the append.
        events = events[: row["version"] - first]
    snapshot = row["state"]
    if snapshot is not None:
        snapshot = unseal(key.cipher, snapshot, place_of(organisation, kind, stream, first, "snapshot"))
    return Stream(row["version"], row["subject"], key, snapshot, first, events)


async def _key_of_row(connection: Connection, vault: Vault, organisation: UUID, row: Row, now: datetime) -> SubjectKey:
    if row["wrapped"] is None:
        raise Gone()
    if key := vault.known(organisation, row["subject"]):
        return key
    return await vault.open_subject_key(connection, organisation, row["subject"], row["key_id"], row["wrapped"], now)


class Append(Struct, frozen=True):
    """Sealed events for the end of one stream: the row for APPEND, and what it will have recorded.

    What was recorded is what a reader of the log will find, read back: views kept now and views rebuilt in ten
    years say the same, and an event that could not be read back is never written.
    """

    row: tuple[Any, ...]
    events: list[Recorded[Any]]

    @classmethod
    def of(
        cls,
        kind: str,
        stream: UUID,
        expected: int,
        subject: UUID,
        key: SubjectKey,
        events: Sequence[Event],
        origin: Origin,
    ) -> "Append":
        organisation, at = origin.organisation, origin.recorded_at
        ids = [uuid7(at) for _ in events]
        names = [name_of(type(event)) for event in events]
        written = [_encode.encode(event) for event in events]
        sealed = [
            seal(key.cipher, text, place_of(organisation, kind, stream, expected + nth, name))
            for nth, (text, name) in enumerate(zip(written, names, strict=True), 1)
        ]
        metadata = _Metadata(
            origin.happened_at, origin.correlation, origin.causation, origin.source_recorded_at, origin.role,
            origin.request,
        )  # fmt: skip
        row = (
            organisation, kind, stream, expected, subject, key.id, key.wrapped, origin.actor, at,
            ids, names, sealed, _encode.encode(metadata).decode(),
        )  # fmt: skip
        recorded = [
            Recorded(
                position=0, id=ids[nth], kind=kind, stream=stream, version=expected + nth + 1,
                subject=subject, origin=origin, event=decoder_of(type(event)).decode(written[nth]),
            )
            for nth, event in enumerate(events)
        ]  # fmt: skip
        return cls(row, recorded)


@contextmanager
def conflicts(stream: UUID | None = None) -> Iterator[None]:
    """A stream that moved on is a VersionConflict with the current version."""
    try:
        yield
    except asyncpg.PostgresError as error:
        if sqlstate(error) == "SALVC":
            raise VersionConflict(int(error.detail or 0), stream) from None
        raise


def snapshot_row(
    key: SubjectKey, organisation: UUID, kind: str, stream: UUID, version: int, shape: str, state: bytes
) -> tuple[Any, ...]:
    """The parameters of KEEP_SNAPSHOT."""
    sealed = seal(key.cipher, state, place_of(organisation, kind, stream, version, "snapshot"))
    return (organisation, kind, stream, version, shape, sealed)


def origin_of(row: Row) -> Origin:
    kept = _metadata.decode(row["metadata"])
    return Origin(
        actor=row["user_id"],
        organisation=row["hospital_id"],
        recorded_at=row["timestamp"],
        happened_at=kept.happened_at,
        correlation=kept.correlation,
        causation=kept.causation,
        source_recorded_at=kept.source_recorded_at,
        role=kept.role,
        request=kept.request,
    )


async def open_rows(
    connection: Connection, vault: Vault, catalogue: Catalogue, organisation: UUID, rows: Sequence[Row], now: datetime
) -> list[Recorded[Any]]:
    """Open rows of one organisation's log, in their order; events of erased subjects are left out."""
    keys = await vault.subject_keys(connection, organisation, {row["subject_id"] for row in rows}, now)
    opened: list[Recorded[Any]] = []
    for row in rows:
        key = keys.get(row["subject_id"])
        if key is None:
            continue
        fresh = catalogue.remembered(row["event_id"])
        opened.append(replace(fresh, position=row["position"]) if fresh else open_row(catalogue, key, row))
    return opened


def open_row(catalogue: Catalogue, key: SubjectKey, row: Row) -> Recorded[Any]:
    name = row["event_type"]
    place = place_of(row["hospital_id"], row["aggregate_type"], row["aggregate_id"], row["version"], name)
    return Recorded(
        position=row["position"],
        id=row["event_id"],
        kind=row["aggregate_type"],
        stream=row["aggregate_id"],
        version=row["version"],
        subject=row["subject_id"],
        origin=origin_of(row),
        event=catalogue.decode(name, unseal(key.cipher, row["event_data"], place)),
    )
