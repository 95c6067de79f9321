"""The way out of the edge: every answer gets its headers, large JSON is compressed, HEAD loses its body."""

import asyncio
import gzip

import brotli  # type: ignore[import-untyped]

from salerno.interfaces.http.asgi import Message, Scope, Send
from salerno.interfaces.http.headers import ALWAYS, CLOSED, NO_STORE, page_policy

WORTH_COMPRESSING = 2048
OFF_THE_LOOP = 65_536


class Answering:
    """Stands in for `send`. It remembers the status for the metrics and the access line."""

    __slots__ = ("_development", "_extra", "_head", "_held", "_scope", "_send", "_want", "status")

    def __init__(self, send: Send, scope: Scope, encodings: bytes, extra: list[tuple[bytes, bytes]], development: str):
        self._send, self._scope, self._want, self._extra = send, scope, encodings, extra
        self._development, self._head = development, False
        self._held: Message | None = None
        self.status = 0

    def without_body(self) -> None:
        self._head = True

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._start(message)
        elif message["type"] == "http.response.body" and self._held is not None:
            await self._compressed(message)
        elif message["type"] == "http.response.body" and self._head:
            await self._send({**message, "body": b""})
        else:
            await self._send(message)

    async def _start(self, message: Message) -> None:
        self.status = message["status"]
        given: list[tuple[bytes, bytes]] = list(message["headers"])
        names = {name.lower(): value for name, value in given}
        given += [*ALWAYS, (b"x-request-id", self._scope["state"]["request_id"].encode()), *self._extra]
        if b"content-security-policy" not in names:
            given.append((b"content-security-policy", self._policy()))
        if b"cache-control" not in names:
            given.append((b"cache-control", NO_STORE))
        started = {**message, "headers": given}
        if self._worth_compressing(names):
            self._held = started
        else:
            await self._send(started)

    def _policy(self) -> bytes:
        nonce = self._scope["state"].get("nonce")
        return page_policy(nonce, self._development) if nonce else CLOSED

    def _worth_compressing(self, names: dict[bytes, bytes]) -> bool:
        """JSON only: a page carries the session's token beside what a user typed, and BREACH reads such mixtures."""
        return (
            not self._head
            and (b"br" in self._want or b"gzip" in self._want)
            and int(names.get(b"content-length", b"0")) > WORTH_COMPRESSING
            and b"json" in names.get(b"content-type", b"")
            and b"content-encoding" not in names
        )

    async def _compressed(self, message: Message) -> None:
        held, self._held = self._held, None
        assert held is not None
        if not message.get("more_body"):
            body = message["body"]
            work = _brotli if b"br" in self._want else _gzip
            small = await asyncio.to_thread(work, body) if len(body) > OFF_THE_LOOP else work(body)
            message = {**message, "body": small}
            kept = [(name, value) for name, value in held["headers"] if name.lower() != b"content-length"]
            coding = b"br" if work is _brotli else b"gzip"
            kept += [(b"content-length", str(len(small)).encode()), (b"content-encoding", coding)]
            held["headers"] = [*kept, (b"vary", b"Accept-Encoding")]
        await self._send(held)
        await self._send(message)


def _brotli(body: bytes) -> bytes:
    return bytes(brotli.compress(body, quality=4))


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, compresslevel=5, mtime=0)
