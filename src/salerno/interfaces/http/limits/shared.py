"""Limits that all processes count together, in Redis; while it is away, each process counts its share by itself."""

import hashlib
import hmac
from collections.abc import Iterable

import structlog
from prometheus_client import Counter
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from salerno.interfaces.http.limits.memory import Limits, refused
from salerno.interfaces.http.limits.policies import Policy
from salerno.interfaces.http.observing import REGISTRY
from salerno.kernel.clock import stopwatch

LOG = structlog.get_logger("salerno.http")
CONNECTIONS = 20
PATIENCE = 0.25  # seconds for a connection, for an answer, and in the queue for a connection
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
redis.call('SET', KEYS[1], string.format('%.0f', moment), 'PX', math.ceil((moment - now) / 1000))
return 0
"""


def client_for(url: str) -> Redis:
    """Waits a moment for a free connection, never long for an answer, and repeats nothing."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=PATIENCE,
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
        retry=Retry(NoBackoff(), 0),
    )
    return Redis(connection_pool=pool)


async def answers(url: str) -> bool:
    """Whether the store is there, and lets us in."""
    client = client_for(url)
    try:
        return bool(await client.ping())
    except AWAY:
        return False
    finally:
        await _end(client)


async def _end(client: Redis) -> None:
    await client.aclose()
    await client.connection_pool.aclose()


class SharedLimits:
    """The same port. Keys are hashed with a key of the installation's: the store learns no address and no account."""

    def __init__(self, url: str, secret: bytes, policies: Iterable[Policy], processes: int = 1) -> None:
        self._policies = {policy.name: policy for policy in policies}
        self._own = Limits(self._policies.values(), processes)
        self._client = client_for(url)
        self._script = self._client.register_script(TAKE)
        self._secret = hmac.digest(secret, b"salerno limits", "sha256")
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
        """What the store says; None where it says nothing. After a failure only one request a second tries it."""
        if self._away_until is not None:
            if (now := stopwatch()) < self._away_until:
                return None
            self._away_until = now + REST
        span = policy.seconds * 1e6
        try:
            wait = await self._script(keys=[self._name_of(policy, key)], args=[span / policy.rate, span])
        except AWAY as error:
            self._missed(error)
            return None
        if self._away_until is not None:
            self._away_until = None
            LOG.warning("limits.shared_again")
        return float(wait) / 1e6

    def _missed(self, error: Exception) -> None:
        if self._away_until is None:
            LOG.error("limits.alone", error=type(error).__name__)
        self._away_until = stopwatch() + REST

    def _name_of(self, policy: Policy, key: str) -> str:
        digest = hashlib.blake2b(f"{policy.name} {key}".encode(), key=self._secret, digest_size=16)
        return f"salerno:limit:{digest.hexdigest()}"

    async def close(self) -> None:
        await _end(self._client)
