"""How often anybody may ask: the named limits (policies), and the port with its adapters for memory and Redis.

These keep the work that one caller can cause within bounds. What closes an account to guesses is not here: failures
are counted in PostgreSQL, by the identity room, and hold when Redis does not.
"""

from typing import Protocol

from salerno.interfaces.http.limits.memory import Limits
from salerno.interfaces.http.limits.policies import (
    ANONYMOUS,
    PROBE,
    REPORT,
    ROOM,
    SECRET,
    SIGNED_IN,
    Policy,
    policies_of,
)
from salerno.interfaces.http.limits.shared import SharedLimits
from salerno.interfaces.http.limits.verifying import VERIFYING
from salerno.kernel.settings import Settings

__all__ = [
    "ANONYMOUS",
    "PROBE",
    "REPORT",
    "ROOM",
    "SECRET",
    "SIGNED_IN",
    "VERIFYING",
    "Limiting",
    "Limits",
    "Policy",
    "SharedLimits",
    "limits_of",
    "policies_of",
]


class Limiting(Protocol):
    """The port: `take` counts one request of `key` against the named policy, or raises TooMany."""

    async def take(self, name: str, key: str) -> None: ...

    async def close(self) -> None: ...


def limits_of(settings: Settings, secret: bytes) -> Limiting:
    """Counted together where REDIS_URL names a store, else each process its share."""
    policies = policies_of(settings)
    if settings.redis_url:
        return SharedLimits(settings.redis_url, secret, policies, settings.processes)
    return Limits(policies, settings.processes)
