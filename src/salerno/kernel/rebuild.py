"""Dropping a read model and making it again from the log, while the product runs.

The new content grows in a shadow schema, by the very statements that keep the live tables. At the end the
writers of these tables wait for a moment: the last events are taken in, the content of both is compared,
and the new tables take the old ones' place. Readers see the old or the new, never half.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from msgspec import Struct

from salerno.kernel import eventstore, vault
from salerno.kernel.bus import Bus
from salerno.kernel.database import ROTTEN, Connection, Row, room_role, step_into
from salerno.kernel.documents import Documents
from salerno.kernel.errors import IntegrityError, NotFound
from salerno.kernel.messages import Recorded
from salerno.kernel.migrations import protect
from salerno.kernel.room import Projection, Room
from salerno.kernel.transactions import Tx, place_of_doc
from salerno.kernel.upcasting import stored_names
from salerno.kernel.vault import SubjectKey

BEFORE_THE_OLDEST_WRITER = "AND event_store.xid < pg_snapshot_xmin(pg_current_snapshot())"
READ = f"""
    SELECT {eventstore.COLUMNS} FROM kernel.event_store
    WHERE (xid, position) > ($1::text::xid8, $2) AND (aggregate_type = $4 OR event_type = ANY($5))
      AND ($6::text IS NULL OR (xid, position) <= ($6::text::xid8, $7)) {{0}}
    ORDER BY event_store.xid, event_store.position LIMIT $3"""
KEEP_STATE = """
    INSERT INTO kernel.projection_state (projection, rebuilt_at, events, rows, content) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (projection) DO UPDATE SET rebuilt_at = excluded.rebuilt_at, events = excluded.events,
        rows = excluded.rows, content = excluded.content"""
INDEXES = """
    SELECT t.relname, i.relname AS name,
           concat(x.indisunique, x.indisprimary, substring(pg_get_indexdef(i.oid) FROM ' USING .*$')) AS definition
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    WHERE t.relnamespace = $1::regnamespace AND t.relname = ANY($2)"""
Mark = tuple[str, int]
START: Mark = ("0", 0)


class Differs(Exception):
    """The rebuilt content is not the live one. Nothing was changed."""


class Rebuilt(Struct, frozen=True, kw_only=True):
    """What a rebuild did: events taken in, rows made, and the content's digest before and after."""

    projection: str
    events: int
    rows: int
    before: str
    after: str

    @property
    def equal(self) -> bool:
        return self.before == self.after


class _Target(Struct, frozen=True):
    name: str
    room: Room
    tables: tuple[str, ...]
    kind: str | None
    events: list[str]
    apply: Callable[..., Any]
    follows: bool  # kept by subscription, so only up to its checkpoint


def names(bus: Bus) -> list[str]:
    """Every read model of this process by name."""
    return sorted(_targets(bus))


def _targets(bus: Bus) -> dict[str, _Target]:
    found: dict[str, _Target] = {}
    for name in sorted(bus.here):
        room = bus.rooms[name]
        for documents in room.documents:
            found[documents.name] = _of_documents(room, documents)
        for projection in (*room.projections, *room.listens):
            if projection.tables:
                target = _of_projection(bus, room, projection)
                found[target.name] = target
    return found


def _of_documents(room: Room, documents: Documents[Any]) -> _Target:
    return _Target(documents.name, room, (documents.table,), documents.kind, [], documents.apply, False)


def _of_projection(bus: Bus, room: Room, projection: Projection) -> _Target:
    events = sorted(stored_names(bus.rooms.values(), projection.events))
    name = projection.name if "." in projection.name else f"{room.name}.{projection.name}"
    return _Target(name, room, projection.tables, None, events, projection.apply, projection in room.listens)


async def rebuild(
    bus: Bus, name: str, *, batch: int = 1000, accept: bool = False, told: Callable[[int], None] | None = None
) -> Rebuilt:
    """Make a read model again. Raises Differs, changing nothing, unless `accept` says that a change is wanted."""
    target = _with_companions(_targets(bus), name)
    work = _Rebuild(bus, target, batch, told or _untold)
    async with bus.database.owner() as owner:
        await work.make_shadow(owner)
        try:
            mark = await work.replay(START, None, settled=True)
            await work.learn()
            async with owner.transaction():
                return await work.finish(owner, mark, accept)
        finally:
            await owner.execute(f"DROP SCHEMA IF EXISTS {work.shadow} CASCADE")


def _with_companions(targets: dict[str, _Target], name: str) -> _Target:
    """A table that several projections of a room keep is made again by all of them."""
    target = targets.get(name)
    if target is None:
        raise NotFound(f"There is no projection called {name}.")
    group = [target]
    while more := [other for other in targets.values() if other not in group and _share(group, other)]:
        group += more
    if len(group) == 1:
        return target

    async def apply(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
        for one in group:
            wanted = set(one.events)
            if mine := [i for i in items if i.kind == one.kind or eventstore.name_of(type(i.event)) in wanted]:
                await one.apply(tx, mine)

    return _Target(
        name=name,
        room=target.room,
        tables=tuple(dict.fromkeys(table for one in group for table in one.tables)),
        kind=next((one.kind for one in group if one.kind), None),
        events=[event for one in group for event in one.events],
        apply=apply,
        follows=any(one.follows for one in group),
    )


def _share(group: Sequence[_Target], other: _Target) -> bool:
    return any(one.room is other.room and set(one.tables) & set(other.tables) for one in group)


def _untold(events: int) -> None:
    """Nobody watches the progress."""


class _Rebuild:
    def __init__(self, bus: Bus, target: _Target, batch: int, told: Callable[[int], None]) -> None:
        self.bus, self.target, self.batch, self.told = bus, target, batch, told
        self.room = target.room
        self.shadow = f"{target.room.name}_rebuild"
        self.events = 0
        self._known: dict[tuple[str, str, UUID], dict[tuple[str, str], int]] = {}

    async def make_shadow(self, owner: Connection) -> None:
        await owner.execute(f"DROP SCHEMA IF EXISTS {self.shadow} CASCADE; CREATE SCHEMA {self.shadow}")
        for table in self.target.tables:
            await owner.execute(f"CREATE TABLE {self.shadow}.{table} (LIKE {self.room.name}.{table} INCLUDING ALL)")
        await protect(owner, self.shadow, room_role(self.room.name))

    async def replay(self, mark: Mark, until: Mark | None, *, settled: bool) -> Mark:
        """Take in the events after `mark`. `settled` stops below the oldest writer still open."""
        statement = READ.format(BEFORE_THE_OLDEST_WRITER if settled else "")
        end = until or (None, None)
        while True:
            async with self.bus.database.context("salerno_reader", None, "kernel") as connection:
                rows = await connection.fetch(
                    statement, *mark, self.batch, self.target.kind or "", self.target.events, *end
                )
                if not rows:
                    return mark
                async with connection.transaction():
                    await self._apply(connection, rows)
            mark = (rows[-1]["xid"], rows[-1]["position"])
            self.events += len(rows)
            self.told(self.events)

    async def _apply(self, connection: Connection, rows: Sequence[Row]) -> None:
        for organisation in dict.fromkeys(row["hospital_id"] for row in rows):
            tx = await self._tx(connection, organisation)
            mine = [row for row in rows if row["hospital_id"] == organisation]
            items = await eventstore.open_rows(
                connection, self.bus.vault, self.bus.catalogue, organisation, mine, tx.now
            )
            if items:
                await self.target.apply(tx, items)
                await tx.flush()

    async def _tx(self, connection: Connection, organisation: UUID) -> Tx:
        path = f"{self.shadow}, {self.room.name}"
        await step_into(connection, room_role(self.room.name), organisation, path)
        return Tx(self.bus, self.room, connection, organisation, self.bus.clock.now())

    async def finish(self, owner: Connection, mark: Mark, accept: bool) -> Rebuilt:
        live = ", ".join(f"{self.room.name}.{table}" for table in self.target.tables)
        # The strongest lock at once: a weaker one first would deadlock with a writer that has read the table.
        await owner.execute(f"LOCK TABLE {live} IN ACCESS EXCLUSIVE MODE")
        # Whoever wrote to these tables has committed; whoever has not yet written will write to the new ones.
        # So everything committed counts now, also above a writer that waits for us.
        await self.replay(mark, await self._heard_until() if self.target.follows else None, settled=False)
        before, rows_before = await self._live_content(owner)
        after, rows = await self._content(owner, self.shadow)
        report = Rebuilt(projection=self.target.name, events=self.events, rows=rows, before=before, after=after)
        if not report.equal and not accept:
            raise Differs(f"{self.target.name}: {rows_before} rows live, {rows} rebuilt, and the content differs")
        await owner.execute("RESET ROLE")
        names = await self._index_names(owner)
        for table in self.target.tables:
            await owner.execute(f"DROP TABLE {self.room.name}.{table}")
            await owner.execute(f"ALTER TABLE {self.shadow}.{table} SET SCHEMA {self.room.name}")
        for index, made_as in (await self._index_names(owner)).items():
            if index in names and names[index] != made_as:
                await owner.execute(f'ALTER INDEX {self.room.name}."{made_as}" RENAME TO "{names[index]}"')
        await owner.execute(KEEP_STATE, self.target.name, self.bus.clock.now(), self.events, rows, after)
        return report

    async def _index_names(self, owner: Connection) -> dict[tuple[str, str], str]:
        """By table and definition. A copy's indexes get names of their own, and with them its constraints: but by
        their names refusals are known (`Room.refusals`) and migrations find them."""
        rows = await owner.fetch(INDEXES, self.room.name, list(self.target.tables))
        return {(row["relname"], row["definition"]): row["name"] for row in rows}

    async def _heard_until(self) -> Mark:
        async with self.bus.database.context("salerno_reader", None, "kernel") as connection:
            row = await connection.fetchrow(
                "SELECT xid::text AS xid, position FROM kernel.projection_checkpoints WHERE reader = $1", self.room.name
            )
        return (row["xid"], row["position"]) if row else START

    async def learn(self) -> None:
        """Digest most rows before anybody has to wait; under the lock only what changed since is read again."""
        async with self.bus.database.context("salerno_reader", None, "kernel") as connection:
            for schema in (self.room.name, self.shadow):
                with suppress(*ROTTEN):
                    async with connection.transaction():
                        await self._content(connection, schema)

    async def _live_content(self, owner: Connection) -> tuple[str, int]:
        """Equal to nothing where the disk has damaged the table: then the rebuild is how it is mended."""
        try:
            async with owner.transaction():
                return await self._content(owner, self.room.name)
        except ROTTEN:
            return "", 0

    async def _content(self, connection: Connection, schema: str) -> tuple[str, int]:
        """A digest of what the tables say, with sealed documents opened: two seals of one text are equal."""
        total, count = 0, 0
        shared = await self._shared(connection)
        for nth, organisation in enumerate(await self._organisations()):
            await step_into(connection, room_role(self.room.name), organisation, schema)
            tx = Tx(self.bus, self.room, connection, organisation, self.bus.clock.now())
            for table in self.target.tables:
                if nth and table in shared:
                    continue
                for digest in await self._digests(tx, schema, table):
                    total += digest
                    count += 1
        return f"{total % (1 << 256):064x}", count

    async def _digests(self, tx: Tx, schema: str, table: str) -> list[int]:
        """One number for each row version; those that were seen before are not opened again."""
        places = [tuple(row) for row in await tx.fetch(f"SELECT ctid::text, xmin::text FROM {schema}.{table}")]
        known = self._known.setdefault((schema, table, tx.organisation), {})
        fresh = [place for place in places if place not in known]
        for start in range(0, len(fresh), self.batch):
            rows = await tx.fetch(
                f"SELECT t.*, ctid::text AS _place, xmin::text AS _writer FROM {schema}.{table} t "
                "WHERE ctid = ANY($1::text[]::tid[])",
                [place for place, _ in fresh[start : start + self.batch]],
            )
            for row in rows:
                known[(row["_place"], row["_writer"])] = await _digest(tx, table, row)
        return [known.get(place, 0) for place in places]  # absent: gone before we looked, no matter without the lock

    async def _shared(self, connection: Connection) -> set[str]:
        """Tables that belong to no organisation are the same for all: they are looked at once."""
        rows = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace AND NOT relrowsecurity", self.room.name
        )
        return {row["relname"] for row in rows}

    async def _organisations(self) -> list[UUID]:
        async with self.bus.database.context("salerno_reader", None, "kernel") as connection:
            rows = await connection.fetch("SELECT DISTINCT organisation FROM kernel.streams")
        return [row[0] for row in rows]


async def _digest(tx: Tx, table: str, row: Row) -> int:
    """A row's digest; added up, so that the order of rows does not matter."""
    parts: list[str] = [table]
    for name, kept in row.items():
        if name.startswith("_"):
            continue
        value = kept
        if name == "doc" and kept is not None and "id" not in row.keys():  # noqa: SIM118 - a record, no dict
            value = "sealed"  # a table of no organisation, each row under another one's key: that it is there counts
        elif name == "doc" and kept is not None:
            key = (await tx.keys_of({row["subject"]})).get(row["subject"])
            value = _opened(key, kept, place_of_doc(tx.organisation, table, row["id"]))
        parts.append(f"{name}={value!r}")
    return int.from_bytes(hashlib.sha256("\x1f".join(sorted(parts)).encode()).digest(), "big")


def _opened(key: SubjectKey | None, sealed: bytes, place: bytes) -> bytes:
    """What no key opens differs from everything that one does: a rebuild is how it is mended."""
    if key is None:
        return b""
    try:
        return vault.unseal(key.cipher, sealed, place)
    except IntegrityError:
        return b"does not open: " + sealed
