"""Work that comes round again: woken by what this process records, and looking by itself for the rest."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import structlog

from salerno.kernel.bus import Bus
from salerno.kernel.messages import Event

LOG = structlog.get_logger("salerno.rounds")


async def go_round(
    bus: Bus, work: Callable[[], Awaitable[Any]], hears: frozenset[type[Event]], every: float, what: str
) -> None:
    """Do `work` for ever: at once when one of `hears` was recorded here, otherwise every so many seconds.

    A round that fails is logged, and the next one comes: a database that is away comes back.
    """
    wake = asyncio.Event()

    def woken(kinds: frozenset[type[Event]]) -> None:
        if kinds & hears:
            wake.set()

    bus.woken.append(woken)
    try:
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next round comes
                LOG.warning("round.failed", work=what, error=type(error).__name__)
            wake.clear()
            # Not wait_for: in Python 3.11 it can lose a cancellation that meets the wake-up.
            with suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await wake.wait()
    finally:
        bus.woken.remove(woken)
