"""The log: one line of plain JSON for each event, whatever anybody puts into it, and nobody's data."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from salerno.kernel.logs import LONGEST_TEXT, configure_logs, keep_known_fields, render


@pytest.fixture
def stream() -> Iterator[io.BytesIO]:
    before = sys.excepthook, logging.getLogger().handlers[:], logging.getLogger().level
    out = io.BytesIO()
    configure_logs("info", out)
    yield out
    structlog.reset_defaults()
    logging.captureWarnings(False)
    sys.excepthook, logging.getLogger().handlers[:], level = before
    logging.getLogger().setLevel(level)


def lines(out: io.BytesIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


HOSTILE = [
    'two\r\nlines\n{"level":"info","event":"forged"}',
    "\x1b[2J\x1b]0;owned\x07 colours",
    "\u202eright to left\u2066\u200b",
    '"},{"break":"out"',
    "\x00\x7f\x85\u2028\u2029",
    "half a pair: \ud800",
    "𝒜 beyond the first plane",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_t054_whatever_is_logged_is_one_line_of_printable_ascii(stream: io.BytesIO, text: str) -> None:
    structlog.get_logger().info(text, route=text, **{text: 1})
    written = stream.getvalue()
    assert written.count(b"\n") == 1
    assert all(0x20 <= byte < 0x7F for byte in written.rstrip(b"\n"))
    assert lines(stream)[0]["route"] == text.replace("\ud800", "?")


@given(st.text(alphabet=st.characters(), max_size=700))
def test_t054_any_text_comes_back_as_it_was_or_cut_with_a_mark(text: str) -> None:
    line = render(None, "info", keep_known_fields(None, "info", {"event": text}))
    assert b"\n" not in line
    said = json.loads(line)["event"]
    whole = text.encode("utf-8", "replace").decode()
    if len(whole) <= LONGEST_TEXT:
        assert said == whole
    else:
        assert said == f"{whole[:LONGEST_TEXT]}…[{len(whole) - LONGEST_TEXT} more]"


def test_t054_a_megabyte_is_cut_with_a_mark(stream: io.BytesIO) -> None:
    structlog.get_logger().info("big", route="x" * 1_000_000, causes=["y" * 1_000_000] * 100)
    (line,) = lines(stream)
    assert line["route"] == "x" * LONGEST_TEXT + f"…[{1_000_000 - LONGEST_TEXT} more]"
    assert len(stream.getvalue()) < 20_000


def test_a_line_says_what_when_and_how_serious(stream: io.BytesIO) -> None:
    structlog.get_logger().warning("projection is late", projection="day list", lag=12, organisation=UUID(int=7))
    (line,) = lines(stream)
    assert list(line)[:3] == ["at", "level", "event"]
    assert (line["level"], line["event"], line["lag"]) == ("warning", "projection is late", 12)
    assert line["organisation"] == "00000000-0000-0000-0000-000000000007"
    assert line["at"].endswith("Z")


def test_a_field_that_nobody_declared_is_left_out_and_only_its_name_is_said(stream: io.BytesIO) -> None:
    structlog.get_logger().info("registered", given_name="Trotula", code="ok")
    (line,) = lines(stream)
    assert b"Trotula" not in stream.getvalue()
    assert (line["code"], line["left_out"]) == ("ok", ["given_name"])


def test_an_object_is_never_shown_from_inside(stream: io.BytesIO) -> None:
    class Patient:
        def __repr__(self) -> str:
            return "Trotula"

    structlog.get_logger().info("seen", kind=Patient(), causes=[Patient()])
    assert b"Trotula" not in stream.getvalue()
    assert lines(stream)[0]["kind"] == "<Patient>"


def test_an_error_gives_its_type_and_places_and_not_its_text(stream: io.BytesIO) -> None:
    try:
        try:
            {}["Trotula"]
        except KeyError as first:
            raise ValueError("no Trotula here") from first
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = lines(stream)
    assert b"Trotula" not in stream.getvalue()
    assert (line["error"], line["causes"]) == ("ValueError", ["KeyError"])
    assert line["frames"][0].endswith(" test_an_error_gives_its_type_and_places_and_not_its_text")
    assert "tests/kernel/test_logs.py:" in line["frames"][0]


def test_what_a_library_says_is_kept_as_its_template(stream: io.BytesIO) -> None:
    logging.getLogger("some.library").warning("bad value %s", "Trotula", exc_info=ValueError("Trotula"))
    (line,) = lines(stream)
    assert b"Trotula" not in stream.getvalue()
    assert (line["event"], line["logger"], line["error"]) == ("bad value %s", "some.library", "ValueError")


def test_below_the_level_nothing_is_written(stream: io.BytesIO) -> None:
    structlog.get_logger().debug("small talk")
    logging.getLogger("asyncio").debug("small talk")
    assert stream.getvalue() == b""


def test_an_uncaught_error_ends_the_process_with_one_line_and_without_its_text() -> None:
    program = "from salerno.kernel.logs import configure_logs; configure_logs(); raise RuntimeError('Trotula')"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == 1
    assert "Trotula" not in ended.stderr
    assert json.loads(ended.stderr)["error"] == "RuntimeError"
