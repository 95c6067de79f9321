"""What is observed of every request: one line in the access log and one sample in the metrics."""

import asyncio
import sys
from pathlib import Path
from typing import BinaryIO

import msgspec
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
REGISTRY = CollectorRegistry(auto_describe=True)
LATENCY = Histogram(
    "salerno_request_seconds",
    "Time to answer a request.",
    ("route", "method", "status"),
    buckets=BUCKETS,
    registry=REGISTRY,
)


class Line(msgspec.Struct, tag="request", tag_field="event"):
    """One request. The route is the template, never the path: a path may name a patient."""

    at: str
    request_id: str
    method: str
    route: str
    status: int
    ms: float
    code: str = ""


class AccessLog:
    """Lines are gathered and written together, at most a second later, so that a request waits for no write."""

    def __init__(self, out: BinaryIO | None = None) -> None:
        self._out = out or sys.stdout.buffer
        self._lines = bytearray()
        self._encode = msgspec.json.Encoder().encode_into
        self._due: asyncio.TimerHandle | None = None

    def write(self, line: Line) -> None:
        self._encode(line, self._lines, -1)
        self._lines += b"\n"
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(1.0, self.flush)

    def flush(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        lines, self._lines = bytes(self._lines), bytearray()
        if lines:
            self._out.write(lines)
            self._out.flush()


class Latencies:
    """The histogram's children, looked up once per route, method and status."""

    def __init__(self) -> None:
        self._children: dict[tuple[str, str, int], Histogram] = {}

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        key = (route, method, status)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = LATENCY.labels(route, method, str(status))
        child.observe(seconds)


def exposition(folder: Path | None = None) -> bytes:
    """The metrics in Prometheus' text format; `folder` gathers those of all worker processes."""
    return generate_latest(REGISTRY if folder is None else gathered(folder))


def gathered(folder: Path) -> CollectorRegistry:
    """What all worker processes have counted."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
    return registry
