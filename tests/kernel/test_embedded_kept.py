"""The embedded server is looked after by those who use it, and counts on from where it is told."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from salerno.kernel.embedded import EmbeddedPostgres, EmbeddedPostgresError


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="salerno-kept-"))
    folder.chmod(0o711)
    yield folder / "pg"
    shutil.rmtree(folder)


def ask(server: EmbeddedPostgres, sql: str) -> str:
    words = [server.dump_tools() / "psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql, server.url()]
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def postmaster(server: EmbeddedPostgres) -> int:
    return int((server.data / "postmaster.pid").read_text().split("\n")[0])


def test_t103_a_killed_server_is_started_again_by_whoever_uses_it_and_only_then(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        ask(server, "CREATE TABLE kept AS SELECT 7 AS n")
        assert server.keep_running() is False
        first = postmaster(server)
        os.kill(first, signal.SIGKILL)
        until = time.monotonic() + 60
        while not server.keep_running() and time.monotonic() < until:
            time.sleep(0.05)
        assert postmaster(server) != first
        assert ask(server, "SELECT n FROM kept") == "7"
    assert server.keep_running() is False  # whoever has given its share back starts nothing
    assert not (server.data / "postmaster.pid").exists()


def test_a_new_epoch_numbers_what_is_written_above_everything_before_and_keeps_it_readable(home: Path) -> None:
    server = EmbeddedPostgres(home)
    with server:
        ask(server, "CREATE TABLE written (n int); INSERT INTO written VALUES (1)")
        before = int(ask(server, "SELECT pg_current_xact_id()"))
        with pytest.raises(EmbeddedPostgresError, match="must be stopped"):
            server.begin_epoch(5)
    server.begin_epoch(5)
    with server:
        assert before < 5 << 32 < int(ask(server, "SELECT pg_current_xact_id()"))
        ask(server, "INSERT INTO written VALUES (2)")
        assert ask(server, "SELECT string_agg(n::text, ' ' ORDER BY n) FROM written") == "1 2"
