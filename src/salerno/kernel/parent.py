"""A worker does not outlive the server process that started it."""

import asyncio
import os
import signal

import structlog

LOOK_FOR_PARENT = 1.0
GRACE = 10.0  # seconds for what is under way
LOG = structlog.get_logger("salerno.app")


async def follow_the_parent(parent: int) -> None:
    """A worker whose server process was killed ends too: it would go on taking requests beside the next one."""
    while os.getppid() == parent:  # noqa: ASYNC110 - nobody tells us
        await asyncio.sleep(LOOK_FOR_PARENT)
    LOG.warning("parent.gone")
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(GRACE)
    os._exit(1)
