"""Whether steps that a page took by itself came when a person could have taken them (rules L5 to L7 of wire/SPEC.md).

Two clocks are asked. The server's own: a game may neither run ahead of it, nor fall behind by more than a stutter and
a slow display explain. The page's: it says when each step was taken, and its steps may not come faster than the game.
"""

from collections.abc import Sequence

FASTER, SLOWER = 0.015, 0.03
"""Share by which a display of "60 Hz" may run fast, and by which a page may fall behind for good."""
AHEAD_US = 250_000
"""Clocks are read a moment apart, and the first step may come early."""
BEHIND_US = 2_000_000
"""The way over the network, batches, stutters that the page does not pause for."""
BURST_US = 100_000
"""Steps that were late may be followed by some that come early, by the page's own clock."""


class Window:
    """Follows one game's steps in time. All times are microseconds; `received` and `now` on the server's clock."""

    def __init__(self, hz: float, away_us: int) -> None:
        self._period = 1e6 / hz
        self._away_us = away_us
        self._anchor = 0.0
        self._last = 0
        self._at: int | None = None
        self._credit = 0.0

    @property
    def last_us(self) -> int:
        """When the game last began, went on, or was heard of."""
        return self._last

    def start(self, now: int, n_steps: int) -> None:
        """The game begins, or goes on after a pause, with this many steps behind it."""
        self._anchor = now - n_steps * self._period
        self._last, self._at, self._credit = now, None, 0.0

    def returned(self, now: int) -> None:
        """The page is back after its connection was lost. It froze the game itself once it was away too long."""
        frozen = now - self._last - self._away_us
        if frozen > 0:
            self._anchor += frozen
            self._at = None

    def check(self, n_steps: int, at: Sequence[int], received: int) -> str | None:
        """Judge steps that arrived together; `n_steps` counts them in. What is wrong with them; None: nothing."""
        fault = self._check_server(n_steps, received) or self._check_page(at)
        if fault is None:
            self._last = received
        return fault

    def _check_server(self, n_steps: int, received: int) -> str | None:
        played, elapsed = n_steps * self._period, received - self._anchor
        if played > elapsed * (1 + FASTER) + AHEAD_US:
            return "too-fast"
        if elapsed > played * (1 + SLOWER) + BEHIND_US:
            return "too-slow"
        return None

    def _check_page(self, at: Sequence[int]) -> str | None:
        least = self._period * (1 - FASTER)
        for time in at:
            if self._at is not None:
                if time <= self._at:
                    return "not-in-order"
                self._credit = min(BURST_US, self._credit + time - self._at - least)
                if self._credit < -BURST_US:
                    return "too-fast"
            self._at = time
        return None
