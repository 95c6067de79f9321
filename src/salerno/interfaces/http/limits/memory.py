"""Limits that this process counts by itself."""

from collections.abc import Iterable
from math import ceil

from prometheus_client import Counter

from salerno.interfaces.http.limits.policies import Policy
from salerno.interfaces.http.observing import REGISTRY
from salerno.kernel.clock import stopwatch
from salerno.kernel.errors import TooMany

REMEMBERED = 50_000
REFUSED = Counter("salerno_limited_requests", "Requests refused by a limit.", ("policy",), registry=REGISTRY)


class Pace:
    """One policy's keys, each with the moment at which it would have nothing left to wait for.

    A request moves that moment on by one interval, unless it would come to lie more than the window ahead. That is a
    bucket of `rate` tokens which fills by one an interval, kept as one number.
    """

    __slots__ = ("_ahead", "_interval", "_moments", "policy")

    def __init__(self, policy: Policy, share: int = 1) -> None:
        self.policy = policy
        rate = ceil(policy.rate / share)
        self._interval, self._ahead = policy.seconds / rate, policy.seconds
        self._moments: dict[str, float] = {}

    def take(self, key: str, now: float) -> float:
        """0.0 and the request is counted; or the seconds until it would be, and it is not. `now` by a stopwatch."""
        moment = max(self._moments.get(key, now), now) + self._interval
        if (wait := moment - now - self._ahead) > 1e-9:
            return wait
        self._moments[key] = moment
        if len(self._moments) > REMEMBERED:
            self._forget(now)
        return 0.0

    def _forget(self, now: float) -> None:
        """Those who have nothing to wait for first; where there are none, the older half."""
        done = [key for key, moment in self._moments.items() if moment <= now]
        for key in done or list(self._moments)[: REMEMBERED // 2]:
            del self._moments[key]


class Limits:
    """The port, and its adapter for one process. Where several share the work, each allows its share of the rate."""

    def __init__(self, policies: Iterable[Policy] = (), processes: int = 1) -> None:
        self._paces = {policy.name: Pace(policy, processes) for policy in policies}

    async def take(self, name: str, key: str) -> None:
        """Count one request, or raise TooMany with the seconds until it would be allowed. No policy, no limit."""
        pace = self._paces.get(name)
        if pace is not None and (wait := pace.take(key, stopwatch())):
            raise refused(pace.policy, wait)

    async def close(self) -> None:
        """Nothing is held."""


def refused(policy: Policy, wait: float) -> TooMany:
    """The refusal, counted."""
    REFUSED.labels(policy.name).inc()
    return TooMany(retry_after=wait, policy=policy.header)
