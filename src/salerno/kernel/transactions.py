"""Tx: one piece of work in one organisation, as one room's database role. What handlers and answers hold."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from salerno.kernel import eventstore, vault
from salerno.kernel.clock import Clock, uuid7
from salerno.kernel.database import Connection, Row, Violation, room_role, step_into
from salerno.kernel.decider import Decider, fingerprint_of
from salerno.kernel.errors import Hidden, NotFound, VersionConflict
from salerno.kernel.eventstore import decoder_of
from salerno.kernel.messages import Caller, Origin, Recorded
from salerno.kernel.outgoing import Outgoing
from salerno.kernel.room import Room
from salerno.kernel.vault import SubjectKey, Vault

if TYPE_CHECKING:
    from salerno.kernel.bus import Bus

S = TypeVar("S")
T = TypeVar("T", bound=Struct)
Written: TypeAlias = dict[tuple[str, UUID], Any]  # by table and id, as held


def place_of_doc(organisation: UUID, table: str, id: UUID) -> bytes:
    return b"doc|%b%b|%b" % (organisation.bytes, id.bytes, table.encode())


class Stage(Enum):
    """How far a transaction is. Reading what cannot change under it needs no BEGIN, ending with one statement none."""

    LOOKING = "looking"
    OPEN = "open"
    NOT_OURS = "not ours"  # somebody else's to end, or ended


class Tx:
    """See docs/house.md. `expected_version` is the stream version that the client named, if it did."""

    __slots__ = (
        "_after_commit",
        "_keys",
        "_origin",
        "_outgoing",
        "_subjects",
        "absent",
        "bus",
        "caller",
        "clock",
        "connection",
        "expected_version",
        "gathering",
        "hidden",
        "now",
        "only",
        "organisation",
        "recorded",
        "room",
        "stage",
        "touched",
        "vault",
        "written",
    )  # fmt: skip

    def __init__(
        self,
        bus: "Bus",
        room: Room,
        connection: Connection,
        organisation: UUID,
        now: datetime,
        origin: Origin | None = None,
        *,
        stage: "Stage | None" = None,
    ) -> None:
        self.bus = bus
        self.stage = stage or Stage.NOT_OURS
        self.room = room
        self.connection = connection
        self.organisation = organisation
        self.now = now
        self.vault: Vault = bus.vault
        self.clock: Clock = bus.clock
        self.expected_version: int | None = None
        self.recorded: list[Recorded[Any]] = []
        self.touched: tuple[UUID, int] | None = None  # the stream last decided on, and its version
        self._origin = origin
        self._keys: dict[UUID, SubjectKey] = {}
        self._subjects: dict[tuple[str, UUID], UUID] = {}
        self.absent: set[UUID] = set()  # streams that whoever asks knows not to be there: they need no load
        self.gathering = False  # many wishes at once: what need not be answered now goes out together
        self._outgoing = Outgoing()
        self.hidden: frozenset[UUID] = frozenset()  # subjects that whoever asks may not learn of: lists leave them out
        self.only: frozenset[UUID] | None = None  # where a right carries to some charts, these: lists show no others
        self.caller: Caller | None = None  # whose wish it is; nobody's where the product acts by itself
        self.written: Written | None = None  # the documents written, where somebody will ask for them at once
        self._after_commit: list[Callable[[], None]] = []

    @property
    def origin(self) -> Origin:
        if self._origin is None:
            raise LookupError("a query has no origin")
        return self._origin

    def new_id(self) -> UUID:
        return uuid7(self.now)

    # ------------------------------------------------------------ SQL
    async def begin(self) -> None:
        """Open the transaction, if it is ours and not open: what was only looked at until now needed none."""
        if self.stage is Stage.LOOKING:
            await self.connection.execute("BEGIN")
            self.stage = Stage.OPEN

    async def end(self) -> None:
        """Everything written is durable when this returns. One statement alone is a transaction by itself."""
        if self.stage is not Stage.LOOKING or not self._outgoing.one_statement:
            await self.flush()
        else:
            await self._send()
        if self.stage is Stage.OPEN:
            await self.connection.execute("COMMIT")
        self.stage = Stage.NOT_OURS

    async def give_up(self) -> None:
        if self.stage is Stage.OPEN:
            await self.connection.execute("ROLLBACK")
        self.stage = Stage.NOT_OURS

    def later(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Write these rows together with whatever else is put off: before anything of this transaction is read.

        What is put off together must not depend on each other's rows, see `outgoing`.
        """
        self._outgoing.put(sql, rows)

    async def flush(self) -> None:
        """Send what was put off."""
        if self._outgoing:
            await self.begin()
            await self._send()

    async def _send(self) -> None:
        """A constraint that the room has a refusal for is refused with it."""
        try:
            if self.gathering:
                await self._outgoing.send_by_kind(self.connection)
            else:
                await self._outgoing.send(self.connection)
        except Violation as broken:
            refusal = self.room.refusals.get(str(broken.constraint_name))
            if refusal is None:
                raise
            raise refusal() from broken

    def record(self, asked: eventstore.Append) -> None:
        """Let these events be appended with everything else that is put off."""
        self._outgoing.append(asked)
        self.recorded += asked.events

    def position_of(self, item: Recorded[Any]) -> int:
        """Where the event lies in the log; 0 while that is not known."""
        return item.position or self._outgoing.positions.get(item.id, 0)

    async def _ready(self) -> None:
        await self.begin()
        await self.flush()

    async def look(self, sql: str, *args: Any) -> list[Row]:
        """Like fetch, for what only reads and locks nothing: as long as nothing else was asked, it needs no BEGIN."""
        await self.flush()
        return list(await self.connection.fetch(sql, *args))

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        await self._ready()
        return list(await self.connection.fetch(sql, *args))

    async def fetchrow(self, sql: str, *args: Any) -> Row | None:
        await self._ready()
        return await self.connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        await self._ready()
        return await self.connection.fetchval(sql, *args)

    async def run(self, sql: str, *args: Any) -> str:
        """Run one statement; answers PostgreSQL's tag, such as "UPDATE 1"."""
        await self._ready()
        return str(await self.connection.execute(sql, *args))

    async def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        await self._ready()
        if len(rows) == 1:
            await self.connection.execute(sql, *rows[0])
        elif rows:
            await self.connection.executemany(sql, rows)

    # ------------------------------------------------------------ streams
    async def load(self, decider: Decider[S, Any, Any], stream: UUID) -> tuple[S, int]:
        """The folded state of a stream and its version; the initial state and 0 where there is none."""
        state, loaded = await self._load(decider, stream)
        return state, loaded.version if loaded else 0

    async def _load(self, decider: Decider[S, Any, Any], stream: UUID) -> tuple[S, eventstore.Stream | None]:
        await self.flush()
        loaded = await eventstore.load_stream(
            self.connection, self.vault, self.bus.catalogue, self.organisation, decider.kind, stream,
            fingerprint_of(decider.initial), self.now,
        )  # fmt: skip
        if loaded is None:
            return decider.initial, None
        if loaded.subject in self.hidden:
            raise Hidden(loaded.subject)
        start = msgspec.json.decode(loaded.snapshot, type=type(decider.initial)) if loaded.snapshot else decider.initial
        return decider.fold(loaded.events, start), loaded

    async def history(self, kind: str, stream: UUID, until: datetime | None = None) -> list[Recorded[Any]]:
        """Every event of one stream that had been recorded by then, oldest first."""
        rows = await self.fetch(eventstore.OF_STREAM, self.organisation, kind, stream, until or self.now)
        return await eventstore.open_rows(
            self.connection, self.vault, self.bus.catalogue, self.organisation, rows, self.now
        )

    async def execute(
        self,
        decider: Decider[S, Any, Any],
        stream: UUID,
        command: Any,
        *,
        subject: UUID | None = None,
        fresh: bool = False,
    ) -> list[Recorded[Any]]:
        """Load, fold, decide, append, and keep guards and this room's views: what nearly every handler is.

        `subject` is whose key seals a stream that does not exist yet; a stream without one is not made, and
        an absent stream is NotFound. `fresh` skips the load for an id that was made a moment ago.
        """
        fresh = fresh or stream in self.absent
        self.absent.discard(stream)
        state, loaded = (decider.initial, None) if fresh else await self._load(decider, stream)
        version = loaded.version if loaded else 0
        if self.expected_version is not None and self.expected_version != version:
            raise VersionConflict(version, stream)
        if loaded is None and subject is None:
            raise NotFound()
        events = decider.decide(state, command, self.origin)
        self.touched = (stream, version + len(events))
        if not events:
            return []
        owner = loaded.subject if loaded else subject
        assert owner is not None
        # A fresh stream that is its own subject cannot have a key yet: nobody knew its id until now.
        key = loaded.key if loaded else await self._key_for(owner, surely_new=fresh and owner == stream)
        asked = eventstore.Append.of(decider.kind, stream, version, owner, key, events, self.origin)
        self.record(asked)
        self._seen(owner, key)
        self._subjects[(decider.kind, stream)] = owner
        self._snapshot(decider, state, stream, key, events, version)
        await self.bus.keep(self, asked.events)
        return asked.events

    async def _key_for(self, subject: UUID, surely_new: bool = False) -> SubjectKey:
        if key := self._keys.get(subject):
            return key
        if surely_new:
            return await self.vault.new_subject_key(self.connection, self.organisation, subject, self.now)
        key = await self.vault.subject_key(self.connection, self.organisation, subject, self.now)
        return key or await self.vault.new_subject_key(self.connection, self.organisation, subject, self.now)

    def _seen(self, subject: UUID, key: SubjectKey) -> None:
        """From now on this transaction knows the key as stored; everybody else only once it is committed."""
        if key.wrapped is None:
            return
        stored = SubjectKey(key.packed)
        self._keys[subject] = stored
        self._after_commit.append(lambda: self.vault.remember(self.organisation, subject, stored))

    def _snapshot(
        self,
        decider: Decider[S, Any, Any],
        state: S,
        stream: UUID,
        key: SubjectKey,
        events: Sequence[Any],
        version: int,
    ) -> None:
        every = self.bus.snapshot_frequency
        reached = version + len(events)
        if reached // every == version // every:
            return
        encoded = msgspec.json.encode(decider.fold(events, state))
        shape = fingerprint_of(decider.initial)
        row = eventstore.snapshot_row(key, self.organisation, decider.kind, stream, reached, shape, encoded)
        self.later(eventstore.KEEP_SNAPSHOT, [row])

    def committed(self) -> None:
        """Called once the transaction is durable."""
        for hook in self._after_commit:
            hook()
        self._after_commit.clear()

    def on_commit(self, hook: Callable[[], None]) -> None:
        self._after_commit.append(hook)

    # ------------------------------------------------------------ sealed values
    async def key_of(self, subject: UUID) -> SubjectKey:
        """The subject's stored key. Gone where it was destroyed, NotFound where there is none."""
        if key := self._keys.get(subject) or self.vault.known(self.organisation, subject):
            return key
        key = await self.vault.subject_key(self.connection, self.organisation, subject, self.now)
        if key is None:
            raise NotFound()
        return key

    async def keys_of(self, subjects: set[UUID]) -> dict[UUID, SubjectKey]:
        found = {subject: self._keys[subject] for subject in subjects if subject in self._keys}
        rest = subjects - found.keys()
        if rest:
            found |= await self.vault.subject_keys(self.connection, self.organisation, rest, self.now)
        return found

    async def seal_doc(self, table: str, id: UUID, subject: UUID, doc: Struct) -> bytes:
        key = await self.key_of(subject)
        return vault.seal(key.cipher, msgspec.json.encode(doc), place_of_doc(self.organisation, table, id))

    async def open_docs(self, table: str, rows: Sequence[Row], shape: type[T]) -> list[T]:
        """The sealed `doc` of each row (with id and subject), in order; those of erased subjects are left out."""
        keys = await self.keys_of({row["subject"] for row in rows})
        decode = decoder_of(shape).decode
        return [
            decode(vault.unseal(key.cipher, row["doc"], place_of_doc(self.organisation, table, row["id"])))
            for row in rows
            if (key := keys.get(row["subject"]))
        ]

    async def tokens(self, kind: str, *texts: str) -> list[int]:
        """Blind-index tokens of these texts under the organisation's index key."""
        keys = await self.vault.organisation(self.connection, self.organisation, self.now)
        return vault.tokens(keys.index, kind, texts)

    def _origin_in(self, organisation: UUID) -> Origin | None:
        return self._origin and msgspec.structs.replace(self._origin, organisation=organisation)

    @asynccontextmanager
    async def inside(self, organisation: UUID) -> AsyncIterator["Tx"]:
        """Go on in another organisation inside the same transaction, and come back."""
        role = room_role(self.room.name)
        await self._ready()
        await step_into(self.connection, role, organisation, self.room.name)
        there = Tx(self.bus, self.room, self.connection, organisation, self.now, self._origin_in(organisation))
        there.recorded, there._after_commit = self.recorded, self._after_commit
        yield there
        await there.flush()
        await step_into(self.connection, role, self.organisation, self.room.name)

    @asynccontextmanager
    async def founding(self, organisation: UUID) -> AsyncIterator[None]:
        """Go on for a while in the organisation that this transaction founds; afterwards back in the caller's own.

        Only for the command that registers an organisation: everything else stays in the caller's.
        """
        home, origin = self.organisation, self._origin
        if organisation == home:
            yield
            return
        await self._stand_in(organisation, msgspec.structs.replace(self.origin, organisation=organisation))
        try:
            yield
        finally:
            self.organisation, self._origin = home, origin
        await self._stand_in(home, origin)

    async def _stand_in(self, organisation: UUID, origin: Origin | None) -> None:
        await self._ready()
        await step_into(self.connection, room_role(self.room.name), organisation, self.room.name)
        self.organisation, self._origin = organisation, origin

    async def catch_up(self) -> None:
        """Let this room hear now what other rooms have said up to this moment."""
        await self.bus.catch_up(self.room.name)

    async def subject_of(self, kind: str, stream: UUID) -> UUID:
        """Whose stream this is; it never changes. NotFound where there is none."""
        if known := self._subjects.get((kind, stream)):
            return known
        subject = await self.connection.fetchval(
            "SELECT subject FROM kernel.streams WHERE organisation = $1 AND aggregate_type = $2 AND aggregate_id = $3",
            self.organisation, kind, stream,
        )  # fmt: skip
        if subject is None:
            raise NotFound()
        self._subjects[(kind, stream)] = UUID(bytes=subject.bytes)
        return self._subjects[(kind, stream)]
