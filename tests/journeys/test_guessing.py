"""T005, T132: 500 guesses at once over two server processes; with a shared store, without one, and as it dies."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from bench.harness import Process
from tests.journeys.conftest import Premises
from tests.redis_server import redis_server

from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.interfaces.cli.demo.clinic import PASSWORD

LIMIT = SignInPolicy().failures_per_account
SECRETS = 60  # of one address in a minute, where the store counts
GIVEN = {
    "RATE_LIMIT_FAILURES_PER_ADDRESS": "100000"
}  # all guesses come from this machine; the account is what is tried


@pytest.fixture(scope="module")
def data(premises: Premises) -> Iterator[Path]:
    keeper = Process(premises.data, "--doors", "api").start().ready()  # keeps the database up between the pairs
    yield premises.data
    keeper.stop()


@contextmanager
def two_processes(data: Path, **given: str) -> Iterator[list[str]]:
    """Their addresses. Without a store they say at the start that each counts for itself."""
    pair = [Process(data, "--doors", "api", given={**GIVEN, **given}).start() for _ in range(2)]
    try:
        urls = [process.ready().url for process in pair]
        assert ["and each counts requests for itself" in process.said() for process in pair] == [
            "REDIS_URL" not in given
        ] * 2
        yield urls
    finally:
        for process in pair:
            process.stop()


async def guess(urls: list[str], who: str, count: int) -> Counter[str]:
    """Answers by their code, of so many, a hundred at once; each says it comes from somewhere else."""
    async with httpx.AsyncClient(timeout=60) as client:
        at_once = asyncio.Semaphore(100)  # what waits for a connection, httpx looks through for every answer

        async def one(nth: int) -> str:
            body = {"email": f"test.{who}@example.com", "password": f"guess {nth}"}
            forged = {"X-Forwarded-For": f"198.51.100.{nth % 250}", "Forwarded": f"for=203.0.113.{nth % 250}"}
            async with at_once:
                answer = await client.post(f"{urls[nth % 2]}/auth/login", json=body, headers=forged)
            if answer.status_code == 429:
                assert int(answer.headers["retry-after"]) >= 1
            return str(answer.json()["code"])

        return Counter(await asyncio.gather(*(one(nth) for nth in range(count))))


def test_t005_500_guesses_over_two_processes_verify_no_more_than_the_limit(data: Path) -> None:
    with two_processes(data) as urls:
        told = asyncio.run(guess(urls, "doctor", 500))
        assert told["wrong-credentials"] + told["sign-in-busy"] == LIMIT
        assert told["too-many-attempts"] == 500 - LIMIT
        right = {"email": "test.doctor@example.com", "password": PASSWORD}
        assert [httpx.post(f"{url}/auth/login", json=right).status_code for url in urls] == [429, 429]


def test_t132_with_a_store_one_limit_for_both_and_when_it_dies_sign_in_limits_stay(data: Path) -> None:
    with redis_server() as store:
        given = {"REDIS_URL": store.url, "RATE_LIMIT_MAX_SECRETS": str(SECRETS), "SALERNO_INSTANCES": "2"}
        with two_processes(data, **given) as urls:
            started = time.monotonic()
            told = asyncio.run(guess(urls, "nurse", 500))
            refilled = int(time.monotonic() - started) + 1  # one a second
            assert told["wrong-credentials"] + told["sign-in-busy"] == LIMIT
            assert SECRETS - LIMIT <= told["too-many-attempts"] <= SECRETS - LIMIT + refilled
            assert told["too-many-requests"] == 500 - LIMIT - told["too-many-attempts"]

            store.kill()
            started = time.monotonic()
            told = asyncio.run(guess(urls, "receptionist", 500))
            refilled = int(time.monotonic() - started) + 2
            assert told["wrong-credentials"] + told["sign-in-busy"] == LIMIT
            assert SECRETS - LIMIT <= told["too-many-attempts"] <= SECRETS - LIMIT + refilled  # half in each process
            assert told["too-many-requests"] == 500 - LIMIT - told["too-many-attempts"]

            store.start()
            until = time.monotonic() + 20
            while not store.keys():  # it is found again
                assert time.monotonic() < until
                assert {httpx.get(f"{url}/livez").status_code for url in urls} == {200}
                asyncio.run(guess(urls, "admin", 2))
