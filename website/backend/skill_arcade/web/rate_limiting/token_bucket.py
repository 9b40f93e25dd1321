"""Rate limiting: token buckets, one per user or client address, and cooldowns after a protocol violation."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from skill_arcade.errors import TooManyRequests
from skill_arcade.web.rate_limiting.table import MAX_TRACKED_KEYS, RateLimit


class TokenBucket:
    """A token bucket that holds at most `limit.burst` tokens and gains `limit.rate` tokens per second."""

    __slots__ = ("_burst", "_now", "_rate", "_tokens", "_updated_at")

    def __init__(self, limit: RateLimit, now: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._now = limit.rate, limit.burst, now
        self._tokens, self._updated_at = limit.burst, now()

    def take(self, amount: float = 1.0) -> bool:
        """Take tokens if there are enough; otherwise take none and return False."""
        now = self._now()
        self._tokens = min(self._burst, self._tokens + (now - self._updated_at) * self._rate)
        self._updated_at = now
        if self._tokens < amount:
            return False
        self._tokens -= amount
        return True

    def seconds_until(self, amount: float = 1.0) -> float:
        """Return the seconds until there are this many tokens."""
        return max(0.0, (amount - self._tokens) / self._rate - (self._now() - self._updated_at))


class KeyedRateLimiter:
    """One token bucket per key (a user id or a client address)."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def take(self, key: str) -> float:
        """Count a request. Return 0 if it is allowed, or the seconds until the next one can be."""
        bucket = self._buckets.pop(key, None) or TokenBucket(self._limit)
        self._buckets[key] = bucket
        if len(self._buckets) > MAX_TRACKED_KEYS:
            self._buckets.popitem(last=False)
        return 0.0 if bucket.take() else max(0.1, bucket.seconds_until())

    def check(self, key: str) -> None:
        """Count a request. Raises TooManyRequests if the rate limit is exceeded."""
        if seconds := self.take(key):
            raise TooManyRequests(f"You have opened too many games in a short time. {retry_message(seconds)}", seconds)


class Cooldowns:
    """Waiting times of users whose connection was closed for a protocol violation."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._until: OrderedDict[str, float] = OrderedDict()

    def start(self, key: str, seconds: float) -> None:
        """Make this user wait for `seconds` from now on."""
        self._until.pop(key, None)
        self._until[key] = self._now() + seconds
        if len(self._until) > MAX_TRACKED_KEYS:
            self._until.popitem(last=False)

    def check(self, key: str) -> None:
        """Raise TooManyRequests while the user must wait."""
        seconds = self._until.get(key, 0.0) - self._now()
        if seconds > 0:
            raise TooManyRequests(
                f"Your connection was closed for a protocol violation. {retry_message(seconds)}", seconds
            )
        self._until.pop(key, None)


def retry_message(seconds: float) -> str:
    """Return the sentence that tells when to retry."""
    whole = math.ceil(seconds)
    return f"Try again in {whole} second{'s' * (whole != 1)}."
