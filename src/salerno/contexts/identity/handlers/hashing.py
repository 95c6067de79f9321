"""Password hashes, made and checked in two threads of low priority, so that nothing else waits for them."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar
from weakref import WeakKeyDictionary

import argon2
import bcrypt
from argon2.exceptions import InvalidHashError, VerificationError

from salerno.contexts.identity.errors import Busy
from salerno.contexts.identity.rules.passwords import normal

T = TypeVar("T")

HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16)
DEAREST_KIB, DEAREST_ROUNDS, DEAREST_BCRYPT = 256 * 1024, 10, 14
THREADS, WAITING = 2, 50
GIVE_WAY = 3  # niceness: with both cores hashing, another request waited 4 ms for one of them, at worst 24
_hashers: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hashers]" = WeakKeyDictionary()


class Hashers:
    """The threads of one loop, and how much work they have. A forked process has its own loop, so its own threads."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, "hashing", _give_way)
        self._asked = 0

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` answers. Busy when too many wait already."""
        if self._asked >= THREADS + WAITING:
            raise Busy(retry_after=2)
        self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._asked -= 1


def _give_way() -> None:
    if sys.platform == "linux":  # elsewhere a priority is the whole process's
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), GIVE_WAY)


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
    if loop not in _hashers:
        _hashers[loop] = Hashers()
    return await _hashers[loop].run(work)


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
