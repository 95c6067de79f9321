"""A table of sealed documents, one per aggregate, kept by a pure reducer: live, rebuilt, and as of a moment."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from salerno.kernel import eventstore, vault
from salerno.kernel.database import Row
from salerno.kernel.errors import IntegrityError
from salerno.kernel.eventstore import decoder_of
from salerno.kernel.messages import Recorded
from salerno.kernel.transactions import Tx, place_of_doc

D = TypeVar("D", bound=Struct)

FIXED = ("organisation", "id", "subject", "version", "recorded_at", "doc")


class Held(Struct, Generic[D], frozen=True):
    """A document as held: whose it is, at which version of its stream, and the opened content."""

    id: UUID
    subject: UUID
    version: int
    recorded_at: datetime
    doc: D


@dataclass(frozen=True)
class Documents(Generic[D]):
    """`evolve(before, recorded)` answers the next document, or None where the row goes.

    `columns(doc)` are the readable columns: only what queries need, nothing that identifies.
    """

    table: str
    kind: str
    shape: type[D]
    evolve: Callable[[D | None, Recorded[Any]], D | None]
    columns: Callable[[D], dict[str, Any]]

    @property
    def name(self) -> str:
        return f"{self.kind.split('.')[0]}.{self.table}"

    def hears(self, item: Recorded[Any]) -> bool:
        return item.kind == self.kind

    # ------------------------------------------------------------ keeping
    async def apply(self, tx: Tx, items: Sequence[Recorded[Any]]) -> None:
        """Fold these events (all of this kind, in order) into the table."""
        mine = [item for item in items if item.kind == self.kind]
        if not mine:
            return
        streams = {item.stream: item for item in mine}
        known = [stream for stream in streams if not any(i.stream == stream and i.version == 1 for i in mine)]
        before = {held.id: held for held in await self._fetch(tx, known)} if known else {}
        docs: dict[UUID, D | None] = {id: held.doc for id, held in before.items()}
        for item in mine:
            if item.stream in before and item.version <= before[item.stream].version:
                continue
            docs[item.stream] = self.evolve(docs.get(item.stream), item)
        await self._write(tx, docs, streams)

    async def _write(self, tx: Tx, docs: dict[UUID, D | None], newest: dict[UUID, Recorded[Any]]) -> None:
        rows, gone = [], []
        keys = await tx.keys_of({newest[stream].subject for stream, doc in docs.items() if doc is not None})
        for stream, doc in docs.items():
            item = newest[stream]
            if doc is None:
                gone.append(stream)
                continue
            key = keys[item.subject]
            sealed = vault.seal(key.cipher, msgspec.json.encode(doc), place_of_doc(tx.organisation, self.table, stream))
            columns = self.columns(doc)
            fixed = (tx.organisation, stream, item.subject, item.version, item.origin.recorded_at, sealed)
            if tx.written is not None:
                tx.written[(self.table, stream)] = Held(stream, item.subject, item.version, fixed[4], doc)
            rows.append((*fixed, *(columns[name] for name in self._columns(columns))))
        if rows:
            tx.later(self._put, rows)
        if gone:
            await tx.run(f"DELETE FROM {self.table} WHERE organisation = $1 AND id = ANY($2)", tx.organisation, gone)

    def _columns(self, found: dict[str, Any]) -> tuple[str, ...]:
        if "_names" not in self.__dict__:
            self.__dict__["_names"] = tuple(sorted(found))
        names: tuple[str, ...] = self.__dict__["_names"]
        return names

    @cached_property
    def _put(self) -> str:
        names = (*FIXED, *self.__dict__["_names"])
        values = ", ".join(f"${nth}" for nth in range(1, len(names) + 1))
        changes = ", ".join(f"{name} = excluded.{name}" for name in names[2:])
        return (
            f"INSERT INTO {self.table} ({', '.join(names)}) VALUES ({values}) "
            f"ON CONFLICT (organisation, id) DO UPDATE SET {changes}"
        )

    # ------------------------------------------------------------ reading
    def just_written(self, tx: Tx, id: UUID) -> Held[D] | None:
        """The document, where the command that is being answered wrote it."""
        return tx.written.get((self.table, id)) if tx.written else None

    async def get(self, tx: Tx, id: UUID) -> Held[D] | None:
        if held_already := self.just_written(tx, id):
            return held_already
        held = await self._fetch(tx, [id])
        return held[0] if held else None

    async def get_many(self, tx: Tx, ids: Iterable[UUID]) -> list[Held[D]]:
        return await self._fetch(tx, list(ids))

    async def of_subject(self, tx: Tx, subjects: Sequence[UUID]) -> list[Held[D]]:
        """Every document of these subjects, oldest record first."""
        rows = await tx.fetch(
            f"SELECT id, subject, version, recorded_at, doc FROM {self.table} "
            "WHERE organisation = $1 AND subject = ANY($2) ORDER BY id",
            tx.organisation,
            list(subjects),
        )
        return await self.open(tx, rows)

    async def _fetch(self, tx: Tx, ids: list[UUID]) -> list[Held[D]]:
        rows = await tx.fetch(
            f"SELECT id, subject, version, recorded_at, doc FROM {self.table} WHERE organisation = $1 AND id = ANY($2)",
            tx.organisation,
            ids,
        )
        return await self.open(tx, rows)

    async def open(self, tx: Tx, rows: Sequence[Row]) -> list[Held[D]]:
        """Open rows that selected id, subject, version, recorded_at and doc; erased subjects' rows are left out."""
        if not rows:
            return []
        keys = await tx.keys_of({row["subject"] for row in rows})
        decode = decoder_of(self.shape).decode
        opened: list[Held[D]] = []
        for row in rows:
            key = keys.get(row["subject"])
            if key is None:
                continue
            plain = vault.unseal(key.cipher, row["doc"], place_of_doc(tx.organisation, self.table, row["id"]))
            try:
                doc = decode(plain)
            except msgspec.ValidationError:
                raise IntegrityError() from None
            opened.append(Held(row["id"], row["subject"], row["version"], row["recorded_at"], doc))
        return opened

    # ------------------------------------------------------------ the past
    async def as_of(
        self, tx: Tx, subjects: Sequence[UUID], moment: datetime, *, by_source: bool = False
    ) -> list[Held[D]]:
        """The documents of these subjects exactly as they stood: folded from what had been recorded by then.

        `by_source` follows the recording date that an imported record brought along, where it has one.
        """
        rows = await tx.fetch(eventstore.OF_SUBJECTS, tx.organisation, list(subjects), [self.kind], moment, by_source)
        items = await eventstore.open_rows(tx.connection, tx.vault, tx.bus.catalogue, tx.organisation, rows, tx.now)
        return self.fold(items)

    def fold(self, items: Iterable[Recorded[Any]]) -> list[Held[D]]:
        docs: dict[UUID, Held[D]] = {}
        for item in items:
            if item.kind != self.kind:
                continue
            before = docs.pop(item.stream, None)
            doc = self.evolve(before.doc if before else None, item)
            if doc is not None:
                docs[item.stream] = Held(item.stream, item.subject, item.version, item.origin.recorded_at, doc)
        return sorted(docs.values(), key=lambda held: held.id)


async def as_of_all(
    tx: Tx,
    shelves: Sequence[Documents[Any]],
    subjects: Sequence[UUID],
    moment: datetime,
    *,
    by_source: bool = False,
) -> list[list[Held[Any]]]:
    """What `as_of` answers for each of several tables, with one reading of the log."""
    kinds = [shelf.kind for shelf in shelves]
    rows = await tx.fetch(eventstore.OF_SUBJECTS, tx.organisation, list(subjects), kinds, moment, by_source)
    items = await eventstore.open_rows(tx.connection, tx.vault, tx.bus.catalogue, tx.organisation, rows, tx.now)
    return [shelf.fold(items) for shelf in shelves]
