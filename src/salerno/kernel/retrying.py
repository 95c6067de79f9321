"""What lost a race or met a server that is away is tried again, a few times."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from salerno.kernel.database import AWAY, TRANSIENT, refusal_of, sqlstate
from salerno.kernel.errors import VersionConflict

TRIES = 4  # the first and three more, where the client named no version
T = TypeVar("T")


async def with_retries(work: Callable[[], Awaitable[T]], expected_version: int | None) -> T:
    """What `work` answers. Whoever named a version is told at once that it has passed."""
    for attempt in range(1, TRIES + 1):
        try:
            return await work()
        except VersionConflict:
            if expected_version is not None or attempt == TRIES:
                raise
        except asyncpg.UniqueViolationError as clash:
            # Two commands made the same new subject's key at once: the second finds it made.
            if clash.table_name != "subject_keys" or attempt == TRIES:
                raise
        except asyncpg.PostgresError as error:
            if sqlstate(error) not in TRANSIENT or attempt == TRIES:
                raise refusal_of(error) from error
        except AWAY as error:
            raise refusal_of(error) from error
        await asyncio.sleep(random.uniform(0, 0.01 * attempt))  # noqa: S311 - jitter, no secret
    raise AssertionError("unreachable")
