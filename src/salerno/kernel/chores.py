"""What a server process looks after besides its requests, for as long as it lives."""

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import structlog

from salerno.kernel.clock import Clock
from salerno.kernel.database import Database
from salerno.kernel.embedded import EmbeddedPostgres
from salerno.kernel.remote import announce, withdraw
from salerno.kernel.settings import Settings
from salerno.kernel.space import LOOK_EVERY, Space

ANNOUNCE_EVERY = 5.0  # seconds
LOOK_FOR_PARENT = 1.0
LOOK_FOR_SERVER = 0.5
GRACE = 10.0
SWEEP_AFTER = (20_000, 20, 50)  # objects made, then sweeps of the young and of the middle-aged
LOG = structlog.get_logger("salerno.chores")


@contextmanager
def _tried_again(what: str) -> Iterator[None]:
    """Work that comes round again outlives a database that is away."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it was, the next round comes
        LOG.warning("background.failed", work=what, error=type(error).__name__)


async def keep_running(server: EmbeddedPostgres) -> None:
    """Nobody else looks after a private server: when it was killed, it is there again in a moment."""
    while True:
        await asyncio.sleep(LOOK_FOR_SERVER)
        with _tried_again("embedded server"):
            if await asyncio.to_thread(server.keep_running):
                LOG.error("database.was_gone")


async def look_at_the_disk(space: Space) -> None:
    """Whether there is still room to write."""
    while True:
        with _tried_again("disk"):
            await asyncio.to_thread(space.look)
        await asyncio.sleep(LOOK_EVERY)


async def follow_the_parent(parent: int) -> None:
    """A worker whose server process was killed ends too: it would go on taking requests beside the next one."""
    while os.getppid() == parent:  # noqa: ASYNC110 - nobody tells us
        await asyncio.sleep(LOOK_FOR_PARENT)
    LOG.warning("parent.gone")
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(GRACE)
    os._exit(1)


async def keep_announcing(database: Database, here: Collection[str], settings: Settings, clock: Clock) -> None:
    """Other processes find these rooms here, as long as this one lives."""
    address = f"http://{settings.host if settings.host != '0.0.0.0' else socket.gethostname()}:{settings.port}"  # noqa: S104
    try:
        while True:
            with _tried_again("announcement"):
                await announce(database, sorted(here), address, clock.now())
            await asyncio.sleep(ANNOUNCE_EVERY)
    finally:
        await asyncio.shield(withdraw(database, address))


async def keep_partitions(database: Database) -> None:
    """Months ahead always have their partitions."""
    while True:
        await asyncio.sleep(86_400)
        with _tried_again("partitions"):
            async with database.owner() as connection:
                await connection.fetchval(
                    "SELECT kernel.ensure_partitions(now()::date, (now() + interval '4 months')::date)"
                )


def sweep_seldom() -> None:
    """What is loaded by now stays for good: it is not walked through again and again in search of cycles.

    With Python's own thresholds a full sweep came every few seconds and stopped all requests for 150 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SWEEP_AFTER)
