"""How often one caller or one address may ask: a token bucket each, in this process, bounded."""

from salerno.kernel.clock import stopwatch
from salerno.kernel.errors import TooMany

REMEMBERED = 50_000


class Limiter:
    """`rate` requests per `window` seconds, all of them at once if need be. A full bucket is forgotten."""

    def __init__(self, rate: int, window: float) -> None:
        self.rate, self.per_second = rate, rate / window
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> None:
        """Take one token of `key`, or raise TooMany with the seconds until there is one."""
        now = stopwatch()
        left, since = self._buckets.get(key, (float(self.rate), now))
        left = min(float(self.rate), left + (now - since) * self.per_second)
        if left < 1:
            self._buckets[key] = (left, now)
            raise TooMany(retry_after=(1 - left) / self.per_second)
        self._buckets[key] = (left - 1, now)
        if len(self._buckets) > REMEMBERED:
            self._forget(now)

    def _forget(self, now: float) -> None:
        full = [k for k, (left, since) in self._buckets.items() if left + (now - since) * self.per_second >= self.rate]
        for key in full or list(self._buckets)[: REMEMBERED // 2]:
            del self._buckets[key]
