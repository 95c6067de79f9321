"""Limits that several processes count together in a real Redis, and what they do while it is gone."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from time import perf_counter

import pytest
from tests.doors.probe import application, client_of
from tests.doors.test_limits import allowed
from tests.redis_server import RedisServer, redis_server

from salerno.interfaces.http.limits import ANONYMOUS, SECRET, Policy, SharedLimits, limits_of, shared
from salerno.interfaces.http.observing import REGISTRY
from salerno.kernel.errors import TooMany
from salerno.kernel.settings import Settings

KEY = b"k" * 32
HUNDRED = (Policy(ANONYMOUS, 100, 600.0), Policy(SECRET, 12, 600.0))


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture
async def pair(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[SharedLimits]]:
    """Two processes' limits: the ones of this test alone, for each has a key of its own."""
    monkeypatch.setattr(shared, "REST", 0.05)
    made = [SharedLimits(server.url, KEY, HUNDRED, processes=2) for _ in range(2)]
    yield made
    for limits in made:
        await limits.close()


async def both(pair: list[SharedLimits], name: str, key: str, tries: int) -> int:
    counts = await asyncio.gather(*(allowed(limits, name, key, tries) for limits in pair))
    return sum(counts)


async def test_api07_t132_two_processes_allow_one_limit_together(pair: list[SharedLimits]) -> None:
    assert await both(pair, ANONYMOUS, "203.0.113.1", 300) == 100
    assert await both(pair, ANONYMOUS, "203.0.113.2", 50) == 100
    assert await both(pair, SECRET, "203.0.113.1", 30) == 12
    with pytest.raises(TooMany) as refused:
        await pair[0].take(ANONYMOUS, "203.0.113.1")
    assert 0 < refused.value.details["retry_after"] <= 6.0
    assert refused.value.details["policy"] == '"anonymous";q=100;w=600'


async def test_who_has_waited_is_allowed_again(server: RedisServer) -> None:
    quick = SharedLimits(server.url, KEY, [Policy(ANONYMOUS, 2, 0.4)])
    assert await allowed(quick, ANONYMOUS, "203.0.113.3", 3) == 2
    until = perf_counter() + 10
    while await allowed(quick, ANONYMOUS, "203.0.113.3", 1) == 0:
        assert perf_counter() < until
    await quick.close()


async def test_the_store_learns_no_address_and_forgets_what_is_over(
    server: RedisServer, pair: list[SharedLimits]
) -> None:
    before = set(server.keys())
    await pair[0].take(ANONYMOUS, "198.51.100.77")
    (name,) = set(server.keys()) - before
    assert name.startswith("salerno:limit:") and "198.51" not in name
    assert 0 < server.keys()[name] <= 6_000  # one interval of 600 s / 100, in milliseconds
    other = SharedLimits(server.url, b"o" * 32, HUNDRED)
    await other.take(ANONYMOUS, "198.51.100.77")
    assert len(set(server.keys()) - before) == 2  # another installation's counts are its own
    await other.close()


def alone() -> float:
    return REGISTRY.get_sample_value("salerno_limits_alone_total") or 0.0


class Said:
    """A log that keeps what it was told."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def info(self, event: str, **_: object) -> None:
        self.events.append(event)

    warning = error = info


async def test_t132_without_the_store_each_process_allows_its_share_and_says_so_once(
    server: RedisServer, pair: list[SharedLimits], monkeypatch: pytest.MonkeyPatch
) -> None:
    key, before, said = "203.0.113.4", alone(), Said()
    monkeypatch.setattr(shared, "LOG", said)
    assert await allowed(pair[0], ANONYMOUS, key, 10) == 10
    server.kill()
    try:
        assert [await allowed(limits, ANONYMOUS, key, 200) for limits in pair] == [50, 50]
        assert alone() - before == 400
        await asyncio.sleep(0.06)  # the store is asked again, and is still away
        assert await both(pair, ANONYMOUS, key, 20) == 0
    finally:
        server.start()
    until = perf_counter() + 10
    while len(server.keys()) < 2:  # both have found it again
        assert perf_counter() < until
        for nth, limits in enumerate(pair):
            await limits.take(SECRET, f"{nth}")
            await asyncio.sleep(0.01)
    assert sorted(said.events) == ["limits.alone"] * 2 + ["limits.shared_again"] * 2  # once for each process
    assert await both(pair, ANONYMOUS, "203.0.113.5", 200) == 100


async def test_a_frozen_store_holds_up_one_request_in_a_while_and_no_other(
    server: RedisServer, pair: list[SharedLimits], monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = pair[0]
    await limits.take(ANONYMOUS, "203.0.113.6")
    monkeypatch.setattr(shared, "REST", 60.0)
    server.freeze()
    try:
        started = perf_counter()
        await limits.take(ANONYMOUS, "203.0.113.6")
        assert 0.2 < perf_counter() - started < 2.0
        started = perf_counter()
        for _ in range(40):
            await limits.take(ANONYMOUS, "203.0.113.6")
        assert perf_counter() - started < 2.0, "each of them waited"
    finally:
        server.thaw()


async def test_a_store_that_never_was_there_is_no_reason_not_to_answer() -> None:
    nowhere = SharedLimits("redis://127.0.0.1:1/0", KEY, [Policy(ANONYMOUS, 10, 600.0)], processes=2)
    async with client_of(application(limits=nowhere)) as client:
        statuses = [(await client.get("/large")).status_code for _ in range(8)]
    assert statuses == [200] * 5 + [429] * 3
    await nowhere.close()


async def test_the_setting_chooses_the_store(server: RedisServer) -> None:
    made = limits_of(Settings(redis_url=server.url, rate_limit_max_requests=3), KEY)
    assert isinstance(made, SharedLimits)
    assert await allowed(made, ANONYMOUS, "203.0.113.7", 9) == 3
    await made.close()
