"""Password hashes, made and checked in two threads so that the loop never waits for them."""

import asyncio
from collections.abc import Callable
from functools import cache
from typing import TypeVar
from weakref import WeakKeyDictionary

import argon2
import bcrypt
from anyio import CapacityLimiter, to_thread
from argon2.exceptions import InvalidHashError, VerificationError

from salerno.contexts.identity.errors import Busy
from salerno.contexts.identity.rules.passwords import normal

T = TypeVar("T")

HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16)
DEAREST_KIB, DEAREST_ROUNDS, DEAREST_BCRYPT = 256 * 1024, 10, 14
THREADS, WAITING = 2, 50
_limiters: "WeakKeyDictionary[asyncio.AbstractEventLoop, CapacityLimiter]" = WeakKeyDictionary()


async def hashed(password: str) -> str:
    """An argon2id hash with a salt of its own."""
    return await _in_thread(lambda: HASHER.hash(normal(password)))


async def is_right(password: str, stored: str | None) -> bool:
    """Whether the password belongs to the hash. Without one, as much work is done for nothing."""
    if stored is None:
        await _in_thread(lambda: _matches(normal(password), _dummy()))
        return False
    return await _in_thread(lambda: _matches(normal(password), stored))


def is_outdated(stored: str) -> bool:
    """Whether a hash is of another kind or cheaper than those made today."""
    try:
        return not stored.startswith("$argon2id$") or HASHER.check_needs_rehash(stored)
    except InvalidHashError:
        return True


async def _in_thread(work: Callable[[], T]) -> T:
    loop = asyncio.get_running_loop()
    limiter = _limiters.setdefault(loop, CapacityLimiter(THREADS))
    if limiter.statistics().tasks_waiting >= WAITING:
        raise Busy(retry_after=2)
    return await to_thread.run_sync(work, limiter=limiter, abandon_on_cancel=True)


def _matches(password: str, stored: str) -> bool:
    if stored.startswith("$2"):
        return _matches_bcrypt(password.encode(), stored)
    try:
        return _is_affordable(stored) and HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def _matches_bcrypt(password: bytes, stored: str) -> bool:
    """Hashes brought along from elsewhere; bcrypt has always looked at 72 bytes only."""
    try:
        return int(stored[4:6]) <= DEAREST_BCRYPT and bcrypt.checkpw(password[:72], stored.encode())
    except ValueError:
        return False


def _is_affordable(stored: str) -> bool:
    """The cost stands in the stored text: a forged one could keep a thread busy for hours."""
    cost = argon2.extract_parameters(stored)
    return cost.memory_cost <= DEAREST_KIB and cost.time_cost <= DEAREST_ROUNDS and cost.parallelism <= 8


@cache
def _dummy() -> str:
    return HASHER.hash("a password that nobody has")
