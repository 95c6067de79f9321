"""Guesses are counted before one is verified, over all processes on one database: counted here by what was hashed."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from copy import copy
from datetime import timedelta
from uuid import uuid4

import argon2
import pytest
from tests.identity.conftest import NOBODY, Person

from salerno.app import House, living, wire
from salerno.contexts.identity.commands import Opened, SignIn
from salerno.contexts.identity.errors import Busy, TooManyAttempts, WrongCredentials
from salerno.contexts.identity.handlers import hashing
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.kernel.bus import Bus
from salerno.kernel.database import Database
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

Make = Callable[..., Awaitable[Person]]
Enter = Callable[..., Awaitable[Opened]]
LIMIT = SignInPolicy().failures_per_account


class Counted(argon2.PasswordHasher):
    """Argon2 as it is, with a list of what it was asked to verify."""

    def __init__(self) -> None:
        kept = hashing.HASHER
        super().__init__(kept.time_cost, kept.memory_cost, kept.parallelism, kept.hash_len, kept.salt_len)
        self.verified: list[str | bytes] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
        self.verified.append(hash)
        return super().verify(hash, password)


@pytest.fixture
def hasher(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted = Counted()
    monkeypatch.setattr(hashing, "HASHER", counted)
    return counted


@pytest.fixture
async def second(house: House, clock: MovableClock) -> AsyncIterator[Bus]:
    """Another process's bus on the same database, with connections of its own."""
    known = house.database
    twin = wire(Database(known.url, known.owner_url, pool_max=20), copy(house.bus.vault), clock=clock)
    async with living(twin, follow=False) as there:
        there.bus.settings.update(house.bus.settings)
        yield there.bus


async def guesses(buses: list[Bus], email: str, count: int) -> list[type]:
    def guess(nth: int) -> Awaitable[object]:
        place = Caller(actor=NOBODY.actor, organisation=NOBODY.organisation, address=f"198.51.100.{nth % 250}")
        return buses[nth % len(buses)].ask(SignIn(email=email, password=f"guess {nth}"), place)

    outcomes = await asyncio.gather(*(guess(nth) for nth in range(count)), return_exceptions=True)
    return [type(outcome) for outcome in outcomes]


async def test_t005_of_500_guesses_at_once_in_two_processes_no_more_than_the_limit_are_verified(
    person: Make, bus: Bus, second: Bus, hasher: Counted
) -> None:
    victim = await person()
    outcomes = await guesses([bus, second], victim.email, 500)
    assert len(hasher.verified) == outcomes.count(WrongCredentials)
    assert outcomes.count(WrongCredentials) + outcomes.count(Busy) == LIMIT
    assert outcomes.count(TooManyAttempts) == 500 - LIMIT
    assert await guesses([bus, second], victim.email, 20) == [TooManyAttempts] * 20
    assert len(hasher.verified) <= LIMIT


async def test_t005_an_account_that_is_not_there_is_closed_in_the_same_way(
    bus: Bus, second: Bus, hasher: Counted
) -> None:
    outcomes = await guesses([bus, second], f"{uuid4().hex}@example.com", 100)
    assert outcomes.count(WrongCredentials) + outcomes.count(Busy) == LIMIT
    assert len(hasher.verified) <= LIMIT


async def test_t132_many_accounts_from_one_household_of_ipv6_count_as_one_place(
    bus: Bus, second: Bus, hasher: Counted, policy: Callable[..., SignInPolicy]
) -> None:
    second.settings[SignInPolicy] = policy(failures_per_address=7)
    household = f"2001:db8:{uuid4().int % 65536:x}:{uuid4().int % 65536:x}"

    def guess(nth: int) -> Awaitable[object]:
        place = Caller(actor=NOBODY.actor, organisation=NOBODY.organisation, address=f"{household}::{nth:x}")
        return [bus, second][nth % 2].ask(SignIn(email=f"{uuid4().hex}@example.com", password="x"), place)

    outcomes = await asyncio.gather(*(guess(nth) for nth in range(60)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes].count(WrongCredentials) == len(hasher.verified) == 7


async def test_t137_a_flood_of_passwords_is_hashed_by_two_threads_that_give_way_and_the_rest_is_told_to_wait() -> None:
    priorities: list[int] = []

    def work() -> None:
        priorities.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        begun.set()
        go_on.wait(10)

    begun, go_on = threading.Event(), threading.Event()
    hashers = hashing.Hashers()
    tasks = [asyncio.create_task(hashers.run(work)) for _ in range(200)]
    await asyncio.to_thread(begun.wait, 10)
    go_on.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes].count(Busy) == 200 - hashing.THREADS - hashing.WAITING
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert priorities == [min(19, max(own, hashing.GIVE_WAY))] * (hashing.THREADS + hashing.WAITING)
    assert await hashers.run(lambda: 7) == 7


async def test_t005_who_knows_the_password_is_not_verified_either_once_the_account_is_closed(
    person: Make, enter: Enter, bus: Bus, second: Bus, hasher: Counted, policy: Callable[..., SignInPolicy]
) -> None:
    second.settings[SignInPolicy] = policy(window=timedelta(minutes=5))
    victim = await person()
    await guesses([bus, second], victim.email, 40)
    hasher.verified.clear()
    with pytest.raises(TooManyAttempts):
        await enter(victim)
    assert hasher.verified == []
