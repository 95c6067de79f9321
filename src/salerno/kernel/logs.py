"""What the product says of itself: one JSON line for each thing that happened, on standard error.

A line carries only the fields named here, and of a failure its type and where it came from: never its text, which may
quote what a person typed or a record holds.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Mapping, MutableMapping
from datetime import date, datetime, timedelta
from enum import Enum
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO
from uuid import UUID

import msgspec
import structlog

LONGEST_TEXT = 500
MOST_ITEMS = 20
MOST_FRAMES = 20

FIELDS = frozenset(
    {
        # what, when, where
        "event", "level", "at", "logger", "service", "version", "pid", "host", "port", "folder", "door", "room",
        # which request or message
        "request_id", "correlation", "causation", "method", "route", "status", "code", "message_type", "permission",
        # whose: ids only
        "organisation", "actor", "subject", "aggregate", "stream", "kind", "event_id", "key_id",
        # how much, how long, how far
        "count", "total", "size", "ms", "seconds", "attempt", "limit", "position", "xid", "lag", "until",
        "projection", "subscription", "reader", "policy", "consumer", "command", "event_type", "rows", "directive",
        "migration", "setting", "task", "outcome", "signal",
        # what went wrong
        "error", "cause", "causes", "frames", "sqlstate",
    }
)  # fmt: skip

Entry = MutableMapping[str, Any]


def configure_logs(level: str = "info", out: BinaryIO | None = None) -> None:
    """Once for each process. What libraries say through `logging` comes out in the same form."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            name_the_error,
            keep_known_fields,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.BytesLoggerFactory(file=out or sys.stderr.buffer),
        cache_logger_on_first_use=out is None,
    )
    logging.basicConfig(level=max(threshold, logging.INFO), handlers=[FromLibraries()], force=True)
    logging.captureWarnings(True)
    sys.excepthook = _say_uncaught
    threading.excepthook = lambda args: _say_uncaught(args.exc_type, args.exc_value, args.exc_traceback)


class FromLibraries(logging.Handler):
    """A library's message is kept as its template: what would be filled in may be anybody's data."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        say = structlog.get_logger().warning if record.levelno >= logging.WARNING else structlog.get_logger().info
        say(str(record.msg), logger=record.name, exc_info=error)


def name_the_error(logger: Any, method: str, entry: Entry) -> Entry:
    """`exc_info` becomes the types of the error and its causes, and the places it passed."""
    given = entry.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        entry["error"], entry["frames"] = _kind(error), _frames(error)
        if causes := _causes(error):
            entry["causes"] = causes
        if state := getattr(error, "sqlstate", None):
            entry["sqlstate"] = state
    return entry


def keep_known_fields(logger: Any, method: str, entry: Entry) -> Entry:
    """Everything else is left out, and the line says that something was."""
    kept: Entry = {name: _plain(value) for name, value in entry.items() if name in FIELDS}
    if left_out := sorted(_short(str(name)) for name in entry if name not in FIELDS):
        kept["left_out"] = left_out[:MOST_ITEMS]
    return kept


def render(logger: Any, method: str, entry: Entry) -> bytes:
    """One line of ASCII: line breaks, terminal codes and marks that turn the writing direction are all escaped."""
    first = {name: entry[name] for name in ("at", "level", "event") if name in entry}
    line = msgspec.json.encode({**first, **entry}).decode()
    escaped = line.encode("ascii", "backslashreplace") if line.isascii() else _ascii(line)
    return escaped.replace(b"\x7f", b"\\u007f")


def _ascii(line: str) -> bytes:
    """As JSON writes what lies outside ASCII: \\uXXXX, in two halves above the first plane."""
    pairs = line.encode("utf-16-be", "surrogatepass")
    units = (int.from_bytes(pairs[i : i + 2]) for i in range(0, len(pairs), 2))
    return "".join(chr(unit) if unit < 0x80 else f"\\u{unit:04x}" for unit in units).encode()


def _plain(value: Any) -> Any:
    """The value as JSON has it, cut to size; of what is not plainly a value only its type."""
    match value:
        case bool() | int() | float() | None:
            return value
        case Enum():
            return _plain(value.value)
        case str():
            return _short(value)
        case UUID() | datetime() | date() | Path():
            return _short(str(value))
        case timedelta():
            return value.total_seconds()
        case Mapping():
            return {_short(str(name)): _plain(inner) for name, inner in islice(value.items(), MOST_ITEMS)}
        case list() | tuple() | set() | frozenset():
            return [_plain(inner) for inner in islice(value, MOST_ITEMS)]
        case _:
            return f"<{type(value).__name__}>"


def _short(text: str) -> str:
    text = text.encode("utf-8", "replace").decode()  # a lone surrogate has no place in a line
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…[{len(text) - LONGEST_TEXT} more]"


def _kind(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")


def _causes(error: BaseException) -> list[str]:
    found: list[str] = []
    seen = {id(error)}
    cause = error.__cause__ or error.__context__
    while cause is not None and id(cause) not in seen and len(found) < MOST_ITEMS:
        seen.add(id(cause))
        found.append(_kind(cause))
        cause = cause.__cause__ or cause.__context__
    return found


def _frames(error: BaseException) -> list[str]:
    passed = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    return [f"{_place(frame.filename)}:{frame.lineno} {frame.name}" for frame in passed]


def _place(file: str) -> str:
    """From the package on: the folders above it are of this machine."""
    return "/".join(Path(file).parts[-3:])


def _say_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return
    structlog.get_logger().error("uncaught error", exc_info=error)
