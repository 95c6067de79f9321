"""Limits that all processes count together, in Redis; while it is away, each process counts its share by itself."""

import asyncio
import hashlib
import hmac
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

import structlog
from prometheus_client import Counter
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from salerno.interfaces.http.limits.memory import Limits, refused
from salerno.interfaces.http.limits.policies import Policy
from salerno.interfaces.http.observing import REGISTRY
from salerno.kernel.clock import stopwatch

LOG = structlog.get_logger("salerno.http")
TOGETHER = 200  # questions in one round trip
PATIENCE = 0.25  # seconds for a connection, and for an answer
REST = 1.0  # seconds until a store that failed is asked again, by one request
AWAY = (RedisError, OSError, TimeoutError)
ALONE = Counter(
    "salerno_limits_alone", "Requests that one process counted by itself: the store is away.", registry=REGISTRY
)

# The same bucket as memory.Pace, on the store's own clock, in microseconds. Kept until there is nothing to wait for.
TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local moment = math.max(tonumber(redis.call('GET', KEYS[1])) or now, now) + tonumber(ARGV[1])
local wait = moment - now - tonumber(ARGV[2])
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%.0f', moment), 'PX', math.max(1, math.ceil((moment - now) / 1000)))
return 0
"""


class Question(NamedTuple):
    """One request to be counted, and where the seconds to wait are told: None if the store says nothing."""

    key: str
    policy: Policy
    told: "asyncio.Future[float | None]"


def client_for(url: str) -> Redis:
    """Never waits long for an answer, and repeats nothing."""
    retry = Retry(NoBackoff(), 0)
    return Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=retry)


async def answers(url: str) -> bool:
    """Whether the store is there, and lets us in."""
    client = client_for(url)
    try:
        return bool(await client.ping())
    except AWAY:
        return False
    finally:
        await client.aclose()


class SharedLimits:
    """The same port. Keys are hashed with a key of the installation's: the store learns no address and no account.

    One round trip is under way at a time: what is asked meanwhile goes with the next one, however much it is.
    """

    def __init__(self, url: str, secret: bytes, policies: Iterable[Policy], processes: int = 1) -> None:
        self._policies = {policy.name: policy for policy in policies}
        self._own = Limits(self._policies.values(), processes)
        self._client = client_for(url)
        self._secret = hmac.digest(secret, b"salerno limits", "sha256")
        self._waiting: list[Question] = []
        self._sender: asyncio.Task[None] | None = None
        self._away_until: float | None = None

    async def take(self, name: str, key: str) -> None:
        """Count one request among those of all processes, or raise TooMany."""
        policy = self._policies.get(name)
        if policy is None:
            return
        wait = await self._ask(policy, key)
        if wait is None:
            ALONE.inc()
            await self._own.take(name, key)
        elif wait:
            raise refused(policy, wait)

    async def _ask(self, policy: Policy, key: str) -> float | None:
        """What the store says. After a failure only one request a second tries it."""
        if self._away_until is not None:
            if (now := stopwatch()) < self._away_until:
                return None
            self._away_until = now + REST
        question = Question(self._name_of(policy, key), policy, asyncio.get_running_loop().create_future())
        self._waiting.append(question)
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send())
        return await question.told

    async def _send(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
            try:
                waits = await self._count(some)
            except Exception as error:  # noqa: BLE001 - whatever it is, nobody may wait for ever
                self._missed(error)
                some, self._waiting = [*some, *self._waiting], []
                waits = [None] * len(some)
            else:
                self._found()
            for question, wait in zip(some, waits, strict=True):
                if not question.told.done():  # whoever asked may have gone
                    question.told.set_result(wait)

    async def _count(self, some: list[Question]) -> list[float | None]:
        pipeline: Any = self._client.pipeline(transaction=False)
        for key, policy, _ in some:
            span = policy.seconds * 1e6
            pipeline.eval(TAKE, 1, key, span / policy.rate, span)
        return [float(wait) / 1e6 for wait in await pipeline.execute()]

    def _missed(self, error: Exception) -> None:
        if self._away_until is None:
            LOG.error("limits.alone", error=type(error).__name__)
        self._away_until = stopwatch() + REST

    def _found(self) -> None:
        if self._away_until is not None:
            self._away_until = None
            LOG.warning("limits.shared_again")

    def _name_of(self, policy: Policy, key: str) -> str:
        digest = hashlib.blake2b(f"{policy.name} {key}".encode(), key=self._secret, digest_size=16)
        return f"salerno:limit:{digest.hexdigest()}"

    async def close(self) -> None:
        if self._sender is not None:
            self._sender.cancel()
            with suppress(asyncio.CancelledError):
                await self._sender
        await self._client.aclose()
