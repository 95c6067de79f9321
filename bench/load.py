"""A small closed-loop HTTP/1.1 client: N connections, each sends its next request when its last was answered.

It parses only the status and the length, so that on two cores it takes as little as possible from the server.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import cast

Make = Callable[[int], bytes]  # the nth request, whole


@dataclass
class Result:
    """Latencies in seconds of the requests that were answered, how long all took, and what failed."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: dict[int, int] = field(default_factory=dict)
    sample: bytes = b""

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else float("nan")


class _Client(asyncio.Protocol):
    def __init__(self, take: Callable[[], bytes | None], result: Result, done: Callable[[], None]) -> None:
        self.take, self.result, self.done = take, result, done
        self.buffer = bytearray()
        self.started = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own kind
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        self.done()

    def _next(self) -> None:
        request = self.take()
        if request is None:
            self.transport.close()
            return
        self.started = perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.buffer[:end]).lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self.buffer) < end + 4 + length:
            return
        status = int(head[9:12])
        if status < 300:
            self.result.latencies.append(perf_counter() - self.started)
        else:
            self.result.failures[status] = self.result.failures.get(status, 0) + 1
            self.result.sample = bytes(self.buffer[end + 4 : end + 304])
        self.buffer.clear()
        self._next()


async def run(port: int, connections: int, make: Make, *, seconds: float = 5.0, count: int | None = None) -> Result:
    """Send until `seconds` have passed, or `count` requests were sent."""
    result, sent = Result(), 0
    loop = asyncio.get_running_loop()
    until = perf_counter() + seconds

    def take() -> bytes | None:
        nonlocal sent
        if (count is not None and sent >= count) or (count is None and perf_counter() > until):
            return None
        sent += 1
        return make(sent - 1)

    waiting = []
    begun = perf_counter()
    for _ in range(connections):
        ended = loop.create_future()
        waiting.append(ended)
        await loop.create_connection(
            lambda ended=ended: _Client(take, result, lambda: ended.done() or ended.set_result(None)),
            "127.0.0.1",
            port,
        )
    await asyncio.gather(*waiting)
    result.seconds = perf_counter() - begun
    return result


def request(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nAccept: application/json\r\n"
    )
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body
