"""The one way in. It alone knows what each message needs, whose data a query opens, and where a room lives."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

import asyncpg

from salerno.kernel import idempotency
from salerno.kernel.accesslog import AccessLog
from salerno.kernel.clock import Clock, SystemClock, uuid7
from salerno.kernel.database import AWAY, Database, refusal_of, room_role, step_into
from salerno.kernel.desk import Desk
from salerno.kernel.errors import Hidden, NotFound, Refused, Unavailable
from salerno.kernel.events import EVENTS as KERNEL_EVENTS
from salerno.kernel.eventstore import Catalogue
from salerno.kernel.messages import (
    Caller,
    Command,
    Disclosure,
    Errand,
    Event,
    Options,
    Origin,
    Query,
    Receipt,
    Recorded,
)
from salerno.kernel.permits import Pass, Permits
from salerno.kernel.retrying import with_retries
from salerno.kernel.room import Needs, Room
from salerno.kernel.space import DiskFull
from salerno.kernel.transactions import Stage, Tx, Written
from salerno.kernel.upcasting import upcasters_of
from salerno.kernel.vault import Vault

T = TypeVar("T")


class Elsewhere(Protocol):
    """Rooms that live in another process."""

    async def handle(self, room: str, command: Command, caller: Caller, options: Options) -> Receipt: ...
    async def ask(self, room: str, query: Query, caller: Caller) -> Any: ...


class Undeclared(Exception):
    """A message without a declared permission, or declared twice. The process does not start."""


class Bus:
    """`rooms` are all rooms of the product; `here` names those that this process answers for (all by default)."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        rooms: Sequence[Room],
        clock: Clock | None = None,
        *,
        here: Iterable[str] | None = None,
        elsewhere: Elsewhere | None = None,
        snapshot_frequency: int = 100,
    ) -> None:
        self.database = database
        self.vault = vault
        vault.database = database
        self.clock: Clock = clock or SystemClock()
        self.rooms = {room.name: room for room in rooms}
        self.here = frozenset(here) if here is not None else frozenset(self.rooms)
        self.elsewhere = elsewhere
        self.snapshot_frequency = snapshot_frequency
        events = (event for room in rooms for event in room.events)
        self.catalogue = Catalogue([*KERNEL_EVENTS, *events], upcasters_of(rooms))
        self.access_log = AccessLog(database, self.clock)
        self.full: Callable[[], bool] = lambda: False  # the disk, where it is ours to look after
        self.settings: dict[type, Any] = {}  # what rooms may be told at the start, by its type
        self._room_of: dict[type, Room] = {}
        self._needs: dict[type, Needs] = {}
        self.permits = Permits(self._needs, self.access_log)
        self.catching_up: Callable[[str], Any] | None = None  # set by the subscriptions of this process
        self.settling: Callable[[], Any] | None = None
        self.woken: list[Callable[[frozenset[type[Event]]], None]] = []
        for room in rooms:
            self._hang(room)

    def _hang(self, room: Room) -> None:
        messages: list[Any] = [*room.handlers, *room.answers]
        for message in messages:
            if message in self._room_of:
                raise Undeclared(f"{message.__name__} is answered by two rooms")
            if message not in room.needs:
                raise Undeclared(f"{room.name}: {message.__name__} has no declared permission")
            self._room_of[message] = room
            self._needs[message] = room.needs[message]
        self.permits.declared |= room.about_charts
        if unknown := set(room.needs) - set(room.handlers) - set(room.answers):
            raise Undeclared(f"{room.name}: nobody answers {', '.join(m.__name__ for m in unknown)}")

    # ------------------------------------------------------------ what there is
    def commands(self) -> dict[str, type[Command]]:
        """Every command by its route's last part, such as "register-patient"."""
        return {kebab(m.__name__): m for m in self._room_of if issubclass(m, Command)}

    def queries(self) -> dict[str, type[Query]]:
        return {kebab(m.__name__): m for m in self._room_of if issubclass(m, Query)}

    def needs(self, message: type) -> Needs:
        return self._needs[message]

    def room_of(self, message: type) -> str:
        return self._room_of[message].name

    def permissions(self) -> set[str]:
        return {needs.permission for needs in self._needs.values() if needs.permission} | self.permits.declared

    # ------------------------------------------------------------ commands
    async def handle(
        self,
        command: Command,
        caller: Caller,
        *,
        expected_version: int | None = None,
        idempotency_key: str | None = None,
        happened_at: datetime | None = None,
        source_recorded_at: datetime | None = None,
        causation: UUID | None = None,
    ) -> Receipt:
        """Grant a wish, or raise a Refused. Nothing is half-written; the receipt means durable."""
        options = Options(
            expected_version=expected_version, idempotency_key=idempotency_key, happened_at=happened_at,
            source_recorded_at=source_recorded_at, causation=causation,
        )  # fmt: skip
        return await self._handle(command, caller, options, None)

    async def handle_and_show(
        self, command: Command, caller: Caller, options: Options, show: Callable[[Receipt], Query]
    ) -> tuple[Receipt, Any]:
        """Grant a wish and answer a question about what came of it: documents just written need no fetching."""
        written: Written = {}
        receipt = await self._handle(command, caller, options, written)
        return receipt, await self.ask(show(receipt), caller, written)

    async def _handle(self, command: Command, caller: Caller, options: Options, written: Written | None) -> Receipt:
        room = self._room_of[type(command)]
        if room.name not in self.here:
            if self.elsewhere is None:
                raise Unavailable()
            return await self.elsewhere.handle(room.name, command, caller, options)
        passed = await self._permit(command, caller)
        try:
            return await with_retries(
                lambda: self._handle_once(room, command, caller, passed, options, written), options.expected_version
            )
        except Hidden as hidden:
            raise await self.permits.refused(type(command), caller, [hidden.subject]) from None

    async def _handle_once(
        self,
        room: Room,
        command: Command,
        caller: Caller,
        passed: Pass,
        options: Options,
        written: Written | None,
    ) -> Receipt:
        async with self.transaction(room, caller, options) as tx:
            tx.written, tx.hidden, tx.only = written, passed.hidden, passed.only
            key = options.idempotency_key
            if key is not None and (first := await idempotency.recall(tx, caller.actor, command, key)):
                return first
            tx.expected_version = options.expected_version
            recorded = await room.handlers[type(command)](tx, command, tx.origin)
            await self.permits.check_written(command, caller, passed, tx.recorded)
            if key is None:
                await tx.end()
            else:
                await tx.flush()
            receipt = await self._receipt(tx, command, recorded)
            if key is not None:
                await idempotency.keep(tx, caller.actor, command, key, receipt)
        return receipt

    async def handle_all(
        self,
        wishes: Sequence[tuple[Command, datetime | None, datetime | None]],
        caller: Caller,
        absent: Collection[UUID] = (),
    ) -> list[Receipt]:
        """Grant all of these (command, happened_at, source_recorded_at) in one transaction, or none.

        `absent` names streams that are known not to be there, see `known`: what makes them is written together,
        and their receipts do not know their positions. A refusal says in `nth` whose it is.
        """
        passes = [await self._permit(command, caller) for command, _, _ in wishes]
        try:
            return list(await with_retries(lambda: self._handle_all_once(wishes, caller, passes, absent), None))
        except Hidden as hidden:
            refused = await self.permits.refused(type(wishes[hidden.nth][0]), caller, [hidden.subject])
            refused.nth = hidden.nth
            raise refused from None

    async def known(self, ids: Collection[UUID], caller: Caller) -> set[UUID]:
        """Which of these are streams of the caller's organisation already."""
        async with self.database.context("salerno_kernel", caller.organisation, "kernel") as connection:
            rows = await connection.fetch(
                "SELECT aggregate_id FROM kernel.streams WHERE organisation = $1 AND aggregate_id = ANY($2)",
                caller.organisation, list(ids),
            )  # fmt: skip
        return {UUID(bytes=row[0].bytes) for row in rows}

    async def _handle_all_once(
        self,
        wishes: Sequence[tuple[Command, datetime | None, datetime | None]],
        caller: Caller,
        passes: Sequence[Pass],
        absent: Collection[UUID],
    ) -> list[Receipt]:
        if not wishes:
            return []
        receipts: list[Receipt] = []
        first = self._room_of[type(wishes[0][0])]
        async with self.transaction(first, caller, Options()) as tx:
            tx.absent, tx.gathering = set(absent), bool(absent)
            for nth, (command, happened_at, source_recorded_at) in enumerate(wishes):
                room = self._room_of[type(command)]
                await self.enter(tx, room)
                tx._origin = self._origin(
                    caller, tx.now, Options(happened_at=happened_at, source_recorded_at=source_recorded_at)
                )
                tx.touched, tx.hidden = None, passes[nth].hidden
                already = len(tx.recorded)
                try:
                    recorded = await room.handlers[type(command)](tx, command, tx.origin)
                    await self.permits.check_written(command, caller, passes[nth], tx.recorded[already:])
                    if not tx.gathering:
                        await tx.flush()
                except Refused as refused:
                    refused.nth = nth
                    raise
                receipts.append(await self._receipt(tx, command, recorded))
            await tx.flush()
        return receipts

    async def within(self, room: Room, caller: Caller, work: Callable[[Tx], Awaitable[T]]) -> T:
        """What `work` answers, from one durable transaction of the room. A lost race is tried again."""

        async def once() -> T:
            async with self.transaction(room, caller, Options()) as tx:
                return await work(tx)

        return await with_retries(once, None)

    @asynccontextmanager
    async def transaction(self, room: Room, caller: Caller, options: Options) -> AsyncIterator[Tx]:
        """One database transaction in the caller's organisation, as the room's role."""
        now = self.clock.now()
        async with self.database.context(room_role(room.name), caller.organisation, room.name) as connection:
            origin = self._origin(caller, now, options)
            tx = Tx(self, room, connection, caller.organisation, now, origin, stage=Stage.LOOKING)
            tx.caller = caller
            try:
                yield tx
                await tx.end()
            except BaseException:
                await tx.give_up()
                raise
        tx.committed()
        if tx.recorded:
            self.wake(tx.recorded)

    async def enter(self, tx: Tx, room: Room) -> None:
        """Go on as another room inside the same transaction."""
        if tx.room is not room:
            await tx.begin()
            await tx.flush()
            await step_into(tx.connection, room_role(room.name), tx.organisation, room.name)
            tx.room = room

    def _origin(self, caller: Caller, now: datetime, options: Options) -> Origin:
        return Origin(
            actor=caller.actor,
            organisation=caller.organisation,
            recorded_at=now,
            happened_at=options.happened_at or now,
            correlation=caller.correlation or uuid7(now),
            causation=options.causation,
            source_recorded_at=options.source_recorded_at,
            role=caller.role,
            request=caller.request,
        )

    async def _receipt(self, tx: Tx, command: Command, recorded: Sequence[Recorded[Any]]) -> Receipt:
        """Of the first stream written; a wish that changed nothing names the stream it was about."""
        if recorded:
            stream, last = recorded[0].stream, [item for item in recorded if item.stream == recorded[0].stream][-1]
            return Receipt(aggregate_id=stream, version=last.version, position=tx.position_of(recorded[-1]))
        return await self._unchanged(tx, command)

    async def _unchanged(self, tx: Tx, command: Command) -> Receipt:
        if tx.touched is not None:
            stream, version = tx.touched
            return Receipt(aggregate_id=stream, version=version)
        for name in command.__struct_fields__:
            value = getattr(command, name)
            if isinstance(value, UUID):
                version = await tx.fetchval(
                    "SELECT max(version) FROM kernel.streams WHERE organisation = $1 AND aggregate_id = $2",
                    tx.organisation, value,
                )  # fmt: skip
                if version is not None:
                    return Receipt(aggregate_id=value, version=version)
        return Receipt(aggregate_id=tx.organisation, version=0)

    async def keep(self, tx: Tx, items: Sequence[Recorded[Any]]) -> None:
        """Guards first, then this room's own views, all in the command's transaction."""
        room = tx.room
        for guard in room.guards:
            if heard := [item for item in items if isinstance(item.event, guard.events)]:
                await guard.check(tx, heard)
        for documents in room.documents:
            await documents.apply(tx, items)
        for projection in room.projections:
            if heard := [item for item in items if isinstance(item.event, projection.events)]:
                await projection.apply(tx, heard)

    # ------------------------------------------------------------ queries
    async def ask(self, query: Query, caller: Caller, written: Written | None = None) -> Any:
        """The answer. Whose data it opens is in the access log, durably, before this returns."""
        room = self._room_of[type(query)]
        if room.name not in self.here:
            if self.elsewhere is None:
                raise Unavailable()
            return await self.elsewhere.ask(room.name, query, caller)
        passed = await self._permit(query, caller)
        try:
            answer = await self._ask_once(room, query, caller, passed, written)
        except NotFound:
            await self.permits.missed(type(query), caller)
            raise
        except (*AWAY, asyncpg.PostgresError) as error:
            raise refusal_of(error) from error
        return await self._disclose(query, caller, answer, passed)

    async def _ask_once(self, room: Room, query: Query, caller: Caller, passed: Pass, written: Written | None) -> Any:
        if isinstance(query, Errand):
            return await room.answers[type(query)](Desk(self, room, caller), query, caller)
        async with self.database.context(room_role(room.name), caller.organisation, room.name) as connection:
            tx = Tx(self, room, connection, caller.organisation, self.clock.now())
            tx.written, tx.hidden, tx.only = written, passed.hidden, passed.only
            return await room.answers[type(query)](tx, query, caller)

    async def _disclose(self, query: Query, caller: Caller, answer: Any, passed: Pass) -> Any:
        opens = self._needs[type(query)].opens
        if opens is None:
            return answer
        if not isinstance(answer, Disclosure):
            raise TypeError(f"{type(query).__name__} opens {opens} and must say whose")
        await self.permits.check_answer(query, caller, passed, answer)
        await self.permits.record_answer(query, caller, passed, answer.subjects)
        return answer.value

    async def _permit(self, message: Command | Query, caller: Caller) -> Pass:
        """Raises NotAllowed, and records it. Nothing is taken where there is no room to write."""
        if self.full() and isinstance(message, Command):
            raise DiskFull(retry_after=10)
        return await self.permits.permit(message, caller)

    # ------------------------------------------------------------ after a commit
    def wake(self, recorded: Sequence[Recorded[Any]]) -> None:
        """Tell this process's readers of the log which kinds of events are new, and spare them the opening."""
        self.catalogue.remember(recorded)
        kinds = frozenset(type(item.event) for item in recorded)
        for told in self.woken:
            told(kinds)

    async def catch_up(self, room: str) -> None:
        if self.catching_up is not None:
            await self.catching_up(room)

    async def settled(self) -> None:
        """Wait until every room of this process has heard the log as it is now."""
        if self.settling is not None:
            await self.settling()

    @asynccontextmanager
    async def reading(self, room: str, organisation: UUID) -> AsyncIterator[Tx]:
        """A read-only Tx without a caller, for background work."""
        async with self.database.context(room_role(room), organisation, room) as connection:
            yield Tx(self, self.rooms[room], connection, organisation, self.clock.now())


def kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
