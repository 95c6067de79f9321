"""The disk under the product fails or fills up: nothing acknowledged is lost, and it goes on by itself."""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from bench.chaos import Load, World, oracle
from tests.soaking import times

from salerno.kernel.embedded import EmbeddedPostgres

pytestmark = pytest.mark.chaos
IN_CI = os.environ.get("CI") == "true"
MEGABYTE = 1 << 20
SIZE = 520 * MEGABYTE
BACK = 30.0  # seconds after the disk is well again


# -------------------------------------------------------------------- T106: the disk says that it could not
@pytest.fixture(scope="module")
async def world() -> AsyncIterator[World]:
    made = World()
    try:
        await made.begin()
        yield made
    finally:
        await asyncio.to_thread(made.end)


def processes_of(postmaster: int) -> list[int]:
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return [postmaster, *map(int, children)]


@contextmanager
def failing(world: World, call: str, when: str) -> Iterator[Path]:
    """This system call of every process of the database answers EIO: `when` as strace has it."""
    said = world.top / "strace.txt"
    attached = [word for pid in processes_of(world.postmaster()) for word in ("-p", str(pid))]
    words = ["strace", "-f", "-qq", "-o", said, "-e", f"trace={call}", "-e", f"inject={call}:error=EIO:when={when}"]
    strace = subprocess.Popen([*words, *attached], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield said
    finally:
        strace.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            strace.wait(10)
        strace.kill()
        strace.wait()


async def until(true: Any, seconds: float = BACK) -> float:
    started = time.monotonic()
    while not true():
        assert time.monotonic() - started < seconds, "it took too long"
        await asyncio.sleep(0.05)
    return time.monotonic() - started


async def granted_again(load: Load) -> float:
    """Seconds until a request that begins now has been granted."""
    now = time.monotonic()
    return await until(lambda: load.seen.last_success > now)


@pytest.mark.skipif(not IN_CI and shutil.which("strace") is None, reason="apt-get install strace")
async def test_t106_a_failed_fsync_loses_nothing_acknowledged_and_doubles_nothing(world: World) -> None:
    load = Load(world.server.url, await world.token("receptionist"), pause=0.05)
    async with load.running() as seen:
        await granted_again(load)
        for nth in range(times(20)):
            call = ("fdatasync", "fsync")[nth % 2]  # of the write-ahead log; of the data files
            with failing(world, call, "1") as said:
                if call == "fsync":
                    with suppress(Exception):
                        await checkpoint(world)
                await until(lambda said=said: said.exists() and "EIO" in said.read_text(errors="replace"))
            await granted_again(load)
        assert seen.statuses[503] + seen.lost > 0, "nobody was told that it is not known"
    assert seen.wrong == [], world.server.complaints()
    await oracle(world, seen)


@pytest.mark.skipif(not IN_CI and shutil.which("strace") is None, reason="apt-get install strace")
async def test_t106_while_every_fsync_fails_nothing_is_acknowledged_and_then_it_comes_back(world: World) -> None:
    load = Load(world.server.url, await world.token("receptionist"), pause=0.05)
    async with load.running() as seen:
        await granted_again(load)
        with failing(world, "fdatasync,fsync", "1+") as said:
            await until(lambda: said.exists() and "EIO" in said.read_text(errors="replace"))
            await asyncio.sleep(1)  # what was durable just before may still be on its way to whoever waits
            failed = time.monotonic()
            await asyncio.sleep(4)
            assert seen.last_success <= failed, "acknowledged, though no disk had taken it"
        await granted_again(load)
    assert seen.wrong == [], world.server.complaints()
    assert seen.statuses[503] > 0


async def checkpoint(world: World) -> None:
    socket = world.settings.postgres / "run"
    words = ["psql", "-X", "-q", "-h", str(socket), "-U", "postgres", "-d", "salerno", "-c", "CHECKPOINT"]
    tools = EmbeddedPostgres(world.settings.postgres).dump_tools()
    await asyncio.to_thread(subprocess.run, [tools / words[0], *words[1:]], capture_output=True, timeout=30)


# -------------------------------------------------------------------- T107: no room left
@asynccontextmanager
async def small_disk(folder: Path) -> AsyncIterator[World]:
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0711", "salerno", folder], check=True)
    world = World(folder)
    try:
        await world.begin()
        yield world
    finally:
        await asyncio.to_thread(world.end)
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


def fill(folder: Path, part: float) -> None:
    disk = os.statvfs(folder)
    with (folder / "ballast").open("wb") as file:
        os.posix_fallocate(
            file.fileno(), 0, int(disk.f_bavail * disk.f_frsize - disk.f_blocks * disk.f_frsize * (1 - part))
        )


def fill_to_the_last_byte(folder: Path) -> Path:
    ballast = folder / "ballast"
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(b"\0" * MEGABYTE)
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(b"\0")
    return ballast


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
async def test_t107_on_a_full_disk_reading_and_signing_in_go_on_and_it_resumes_by_itself() -> None:
    folder = Path("/tmp", f"salerno-small-{os.getpid()}")
    async with small_disk(folder) as world:
        load = Load(world.server.url, await world.token("receptionist"), pause=0.05)
        async with load.running() as seen:
            await granted_again(load)
            assert (world.data / "reserve").stat().st_size == 64 * MEGABYTE
            log = folder / f"serve-{world.server.port}.log"
            fill(folder, 0.85)
            await until(lambda: '"disk.filling"' in log.read_text())
            await granted_again(load)
            for _ in range(times(20)):
                ballast = fill_to_the_last_byte(folder)
                await until(lambda: seen.statuses[507] > 0)
                refused = seen.statuses[507]
                full = time.monotonic()
                await asyncio.sleep(1.5)
                headers = {"Authorization": f"Bearer {await world.token('doctor')}"}  # signing in goes on
                async with httpx.AsyncClient(base_url=world.server.url, timeout=20, headers=headers) as client:
                    for patient in load.patients[:10]:
                        assert (await client.get(f"/patients/{patient}")).status_code == 200
                assert seen.last_success < full + 1.0
                assert seen.statuses[507] > refused
                ballast.unlink()
                assert await granted_again(load) < BACK
                await until((world.data / "reserve").exists)
                seen.statuses[507] = 0
        assert seen.wrong == [], world.server.complaints()
        assert '"disk.full"' in log.read_text()
        await oracle(world, seen)
