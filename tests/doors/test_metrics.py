"""Metrics on a port of their own, counted over all workers; and settings that nothing needs are said to be so."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from bench.harness import Process, free_port

from salerno.kernel.settings import read_settings

COUNT = re.compile(r'salerno_request_seconds_count\{method="GET",route="/livez",status="200"\} (\d+)')


@pytest.fixture(scope="module")
def top() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="salerno-metrics-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def metrics(top: Path) -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def served(top: Path, metrics: str) -> Iterator[Process]:
    given = {"ENABLE_METRICS": "true", "METRICS_PORT": metrics.rpartition(":")[2], "JWT_SECRET": "x" * 40}
    process = Process(top / "data", "--workers", "2", "--doors", "api", given=given).start().ready()
    yield process
    process.stop()


def counted(url: str) -> int:
    found = COUNT.search(httpx.get(url).text)
    return int(found[1]) if found else 0


def test_obs10_metrics_have_a_port_of_their_own_and_count_every_worker(served: Process, metrics: str) -> None:
    before = counted(f"{metrics}/metrics")
    for _ in range(60):  # each with a connection of its own, so that both workers are asked
        assert httpx.get(f"{served.url}/livez").status_code == 200
    assert counted(f"{metrics}/metrics") - before == 60, httpx.get(f"{metrics}/metrics").text[:600]
    assert counted(f"{served.url}/metrics") - before == 60, "one worker tells of the other too"
    assert "Patient" not in httpx.get(f"{metrics}/metrics").text


def test_obs10_a_taken_port_is_said_and_nothing_starts(served: Process, metrics: str, top: Path) -> None:
    given = {"ENABLE_METRICS": "true", "METRICS_PORT": metrics.rpartition(":")[2]}
    second = Process(top / "data", "--doors", "api", given=given).start()
    assert second.process is not None
    assert second.process.wait(30) == 2
    assert "METRICS_PORT" in second.said()


def test_a_secret_that_nothing_needs_is_said_to_be_so_at_the_start(served: Process) -> None:
    log = served.data.parent / f"serve-{served.port}.log"
    assert "JWT_SECRET is set, but not needed." in log.read_text()
    assert read_settings({}, Path("/nowhere")).unneeded == []
