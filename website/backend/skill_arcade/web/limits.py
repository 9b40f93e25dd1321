"""How fast and how much somebody may ask."""

import time
from collections import OrderedDict
from collections.abc import Callable

from skill_arcade.errors import TooManyRequests

REMEMBERED = 10_000
LONGEST_MESSAGE = 64 * 1024
"""Bytes of one message on the play socket. The longest of a page is 1,800 steps in lockstep, after an absence."""


class Bucket:
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


class Limits:
    """One bucket for each person; those who asked last are remembered."""

    def __init__(self, *, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def check(self, who: str) -> None:
        """Count one request. Raises TooManyRequests."""
        bucket = self._buckets.pop(who, None) or Bucket(self._rate, self._burst)
        self._buckets[who] = bucket
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        if not bucket.take():
            raise TooManyRequests("You have asked for very many games in a short time; wait a few seconds.")
