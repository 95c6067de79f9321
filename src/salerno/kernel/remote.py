"""Rooms in another process: the same wishes and questions over HTTP, signed, with time-outs, retries and a breaker."""

import asyncio
import hashlib
import hmac
import typing
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
from msgspec import Struct

from salerno.kernel.bus import Bus, kebab
from salerno.kernel.clock import Clock, stopwatch, uuid7
from salerno.kernel.database import Database
from salerno.kernel.errors import Invalid, NotAllowed, Refused, Unavailable, VersionConflict
from salerno.kernel.messages import Caller, Command, Disclosure, Errand, Options, Query, Receipt

PATH = "/internal/rooms"
FRESH = timedelta(seconds=30)  # how far a signed request's time may lie from the server's
SEEN_WITHIN = timedelta(seconds=20)
ANNOUNCE = """
    INSERT INTO kernel.room_addresses (room, address, seen_at) SELECT r, $2, $3 FROM unnest($1::text[]) r
    ON CONFLICT (room, address) DO UPDATE SET seen_at = excluded.seen_at"""
WITHDRAW = "DELETE FROM kernel.room_addresses WHERE address = $1"
WHERE = "SELECT address FROM kernel.room_addresses WHERE room = $1 AND seen_at > $2 ORDER BY seen_at DESC"


class Call(Struct, frozen=True, kw_only=True):
    """One message on its way to its room."""

    message: str
    body: msgspec.Raw
    caller: Caller
    options: Options | None = None


class Refusal(Struct, frozen=True, kw_only=True):
    """A Refused on its way back."""

    kind: str
    sentence: str
    details: dict[str, Any] = {}
    errors: list[dict[str, str]] = []


class Breaker:
    """Opens after `limit` failures in a row, lets one call probe after `rest` seconds, closes on success."""

    def __init__(self, limit: int = 5, rest: float = 2.0, now: Callable[[], float] = stopwatch) -> None:
        self._limit, self._rest, self._now = limit, rest, now
        self._failures, self._opened = 0, 0.0

    def check(self) -> None:
        if self._failures >= self._limit:
            if self._now() - self._opened < self._rest:
                raise Unavailable(retry_after=2)
            self._opened = self._now()  # this call is the probe; the others go on waiting

    def succeeded(self) -> None:
        self._failures = 0

    def failed(self) -> None:
        self._failures += 1
        if self._failures >= self._limit:
            self._opened = self._now()


class _Lost(Unavailable):
    """A call without an answer. Unless no connection came about, it may have been heard."""

    def __init__(self, error: httpx.HTTPError) -> None:
        super().__init__(retry_after=2)
        self.may_have_arrived = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)


class RemoteRooms:
    """Finds rooms by what their processes announce in the database, and calls them."""

    def __init__(self, database: Database, clock: Clock, key: bytes, client: httpx.AsyncClient | None = None) -> None:
        self._database, self._clock, self._key = database, clock, key
        self._client = client or httpx.AsyncClient(timeout=httpx.Timeout(10, connect=1))
        self._breakers: dict[str, Breaker] = {}
        self._known: dict[str, tuple[float, list[str]]] = {}
        self.bus: Bus | None = None

    async def handle(self, room: str, command: Command, caller: Caller, options: Options) -> Receipt:
        # With a key of its own a wish may be repeated when its answer was lost.
        if options.idempotency_key is None:
            options = msgspec.structs.replace(options, idempotency_key=f"room-{uuid7(self._clock.now())}")
        answer = await self._call(room, _call(command, caller, options))
        return msgspec.json.decode(answer, type=Receipt)

    async def ask(self, room: str, query: Query, caller: Caller) -> Any:
        # An errand may have written although its answer was lost: it is repeated by who asked, or not at all.
        answer = await self._call(room, _call(query, caller, None), once=isinstance(query, Errand))
        assert self.bus is not None
        return msgspec.json.decode(answer, type=answer_type(self.bus, type(query)))

    async def close(self) -> None:
        await self._client.aclose()

    async def _call(self, room: str, call: Call, *, once: bool = False) -> bytes:
        body = msgspec.json.encode(call)
        for attempt in (1, 2, 3):
            for address in await self._addresses(room, again=attempt > 1):
                try:
                    return await self._post(address, body)
                except _Lost as lost:
                    if once and lost.may_have_arrived:
                        raise
                except Unavailable:
                    continue
            await asyncio.sleep(0.1 * attempt)
        raise Unavailable(retry_after=2)

    async def _post(self, address: str, body: bytes) -> bytes:
        breaker = self._breakers.setdefault(address, Breaker())
        breaker.check()
        stamp = self._clock.now().isoformat()
        try:
            answer = await self._client.post(
                address + PATH,
                content=body,
                headers={"x-salerno-at": stamp, "x-salerno-mac": sign(self._key, stamp, body)},
            )
        except httpx.HTTPError as error:
            breaker.failed()
            raise _Lost(error) from None
        if answer.status_code == httpx.codes.OK:
            breaker.succeeded()
            return answer.content
        if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            breaker.succeeded()
            raise _refused(msgspec.json.decode(answer.content, type=Refusal))
        breaker.failed()
        raise Unavailable(retry_after=2)

    async def _addresses(self, room: str, *, again: bool) -> list[str]:
        known = self._known.get(room)
        if known is None or again or stopwatch() - known[0] > 5:
            async with self._database.context("salerno_reader", None, "kernel") as connection:
                rows = await connection.fetch(WHERE, room, self._clock.now() - SEEN_WITHIN)
            self._known[room] = known = (stopwatch(), [row["address"] for row in rows])
        return known[1]


async def announce(database: Database, rooms: list[str], address: str, now: datetime) -> None:
    """Say that this process answers for these rooms; repeated every few seconds while it lives."""
    async with database.context("salerno_reader", None, "kernel") as connection:
        await connection.execute(ANNOUNCE, rooms, address, now)


async def withdraw(database: Database, address: str) -> None:
    async with database.context("salerno_reader", None, "kernel") as connection:
        await connection.execute(WITHDRAW, address)


def internal_key(master: bytes) -> bytes:
    """The key by which processes of one installation know each other."""
    return hmac.digest(master, b"salerno rooms", "sha256")


def sign(key: bytes, stamp: str, body: bytes) -> str:
    return hmac.new(key, stamp.encode() + b"\n" + body, hashlib.sha256).hexdigest()


def verify(key: bytes, stamp: str, mac: str, body: bytes, now: datetime) -> None:
    """Raises NotAllowed unless another process of this installation sent this just now."""
    try:
        at = datetime.fromisoformat(stamp)
        fresh = abs(at - now) <= FRESH
    except (ValueError, TypeError):
        raise NotAllowed() from None
    if not fresh or not hmac.compare_digest(sign(key, stamp, body), mac):
        raise NotAllowed()


async def serve(bus: Bus, body: bytes) -> tuple[int, bytes]:
    """Answer one verified call: (200, the value) or (422, the refusal)."""
    try:
        call, message = _read(bus, body)
        if isinstance(message, Command):
            options = call.options or Options()
            receipt = await bus.handle(message, call.caller, **msgspec.structs.asdict(options))
            return 200, msgspec.json.encode(receipt)
        return 200, msgspec.json.encode(await bus.ask(message, call.caller))
    except Refused as refused:
        return 422, msgspec.json.encode(_refusal(refused))


def _read(bus: Bus, body: bytes) -> tuple[Call, Command | Query]:
    """A process of another version may say what this one does not understand."""
    try:
        call = msgspec.json.decode(body, type=Call)
        known: dict[str, type[Any]] = {**bus.commands(), **bus.queries()}
        return call, msgspec.json.decode(call.body, type=known[call.message])
    except (KeyError, msgspec.MsgspecError):
        raise Unavailable("The parts of the system are of different versions.") from None


def answer_type(bus: Bus, query: type[Query]) -> Any:
    """What asking this query yields: the answer's annotated type, or what its Disclosure holds."""
    answer = bus.rooms[bus.room_of(query)].answers[query]
    annotated = typing.get_type_hints(answer)["return"]
    return typing.get_args(annotated)[0] if typing.get_origin(annotated) is Disclosure else annotated


def _call(message: Command | Query, caller: Caller, options: Options | None) -> Call:
    body = msgspec.Raw(msgspec.json.encode(message))
    return Call(message=kebab(type(message).__name__), body=body, caller=caller, options=options)


def _kinds(kind: type[Refused] = Refused) -> Iterator[type[Refused]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def _name(kind: type[Refused]) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _refusal(refused: Refused) -> Refusal:
    details = msgspec.to_builtins(refused.details)
    errors = refused.errors if isinstance(refused, Invalid) else []
    return Refusal(kind=_name(type(refused)), sentence=str(refused), details=details, errors=errors)


def _refused(refusal: Refusal) -> Refused:
    """The very class that was raised there, made without its own constructor."""
    kind = next((kind for kind in _kinds() if _name(kind) == refusal.kind), Refused)
    refused = kind.__new__(kind, refusal.sentence)
    Exception.__init__(refused, refusal.sentence)
    refused.details = refusal.details
    if isinstance(refused, Invalid):
        refused.errors = refusal.errors
    if isinstance(refused, VersionConflict):
        refused.current, refused.stream = refusal.details["current_version"], None
    return refused
