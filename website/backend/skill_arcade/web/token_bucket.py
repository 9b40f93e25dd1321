"""How fast and how much somebody may ask."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from skill_arcade.errors import TooManyRequests

MAX_TRACKED_KEYS = 10_000
REJECTION_DELAY_SECONDS = 0.25
"""Who is refused for asking too fast is answered so late: waiting costs nothing, and the next try comes after it."""
MAX_MESSAGE_BYTES = 64 * 1024
"""Bytes of one message on the play socket. The longest of a page is 1,800 steps in lockstep, after an absence."""


class TokenBucket:
    """Holds up to `burst` tokens and gains `rate` a second."""

    __slots__ = ("_burst", "_level", "_now", "_rate", "_since")

    def __init__(self, rate: float, burst: float, now: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._now = rate, burst, now
        self._level, self._since = burst, now()

    def take(self, amount: float = 1.0) -> bool:
        """Take so many tokens; False, and none taken, when there are not as many."""
        now = self._now()
        self._level = min(self._burst, self._level + (now - self._since) * self._rate)
        self._since = now
        if self._level < amount:
            return False
        self._level -= amount
        return True

    def seconds_until(self, amount: float = 1.0) -> float:
        """Seconds until so many are there."""
        return max(0.0, (amount - self._level) / self._rate - (self._now() - self._since))


class KeyedRateLimiter:
    """One bucket for each person or address; those who asked last are remembered."""

    def __init__(self, *, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def take(self, who: str) -> float:
        """Count one request: 0, or the seconds after which one would be taken."""
        bucket = self._buckets.pop(who, None) or TokenBucket(self._rate, self._burst)
        self._buckets[who] = bucket
        if len(self._buckets) > MAX_TRACKED_KEYS:
            self._buckets.popitem(last=False)
        return 0.0 if bucket.take() else max(0.1, bucket.seconds_until())

    def check(self, who: str) -> None:
        """Count one request. Raises TooManyRequests."""
        if seconds := self.take(who):
            raise TooManyRequests(
                f"You have asked for very many games in a short time; {retry_message(seconds)}.", seconds
            )


class Cooldowns:
    """Who was cut off for what no page does, and has to wait before the next socket."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._until: OrderedDict[str, float] = OrderedDict()

    def start(self, who: str, seconds: float) -> None:
        """From now on they wait so long."""
        self._until.pop(who, None)
        self._until[who] = self._now() + seconds
        if len(self._until) > MAX_TRACKED_KEYS:
            self._until.popitem(last=False)

    def check(self, who: str) -> None:
        """Raise TooManyRequests while they have to wait."""
        seconds = self._until.get(who, 0.0) - self._now()
        if seconds > 0:
            raise TooManyRequests(
                f"Your connection was closed for sending too much; {retry_message(seconds)}.", seconds
            )
        self._until.pop(who, None)


def retry_message(seconds: float) -> str:
    """In words, when."""
    whole = math.ceil(seconds)
    return f"try again in {whole} second{'s' * (whole != 1)}"
