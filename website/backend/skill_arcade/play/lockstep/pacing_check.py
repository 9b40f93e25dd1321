"""Whether steps that a page took by itself came when a person could have taken them (rules L5 to L7 of wire/SPEC.md).

Two clocks are asked. The server's own: a game may neither run ahead of it, nor fall behind by more than a stutter and
a slow display explain. The page's: it says when each step was taken, and its steps may not come faster than the game.
"""

from collections.abc import Sequence

FASTER, SLOWER = 0.015, 0.1
"""Share by which a display of "60 Hz" may run fast, and by which a page may fall behind without end."""
MAX_AHEAD_US = 250_000
"""Clocks are read a moment apart, and the first step may come early."""
MAX_BEHIND_US = 2_000_000
"""The way over the network, batches, stutters that the page does not pause for."""
MAX_STALL_US = 1_000_000
"""Steps that the network held up come together: who is still behind after this is slow."""
MAX_BURST_US = 100_000
"""Steps that were late may be followed by some that come early, by the page's own clock."""


class PacingCheck:
    """Follows one game's steps in time. All times are microseconds; `received` and `now` on the server's clock."""

    def __init__(self, hz: float, away_us: int) -> None:
        self._period = 1e6 / hz
        self._max_offline_us = away_us
        self._last = 0
        self._behind = 0.0
        self._absent = False
        self._slow_since: int | None = None
        self._at: int | None = None
        self._credit = 0.0

    def start(self, now: int) -> None:
        """The game begins, or goes on after a pause."""
        self._last, self._behind, self._absent, self._slow_since = now, 0.0, False, None
        self._at, self._credit = None, 0.0

    def on_reconnect(self) -> None:
        """The page is back after its connection was lost: what it sends next, it played meanwhile."""
        self._absent = True

    def check(self, at: Sequence[int], received: int) -> str | None:
        """Judge steps that arrived together, by when the page took each. What is wrong with them; None: nothing."""
        return self._check_server(len(at), received) or self._check_page(at)

    def _check_server(self, n_steps: int, received: int) -> str | None:
        played, elapsed = n_steps * self._period, received - self._last
        self._last = received
        self._behind += elapsed - played
        if self._behind > 0:
            # Forgiven is what a slow page lost bit by bit, not a silence, which steps that were held up make good.
            self._behind = max(0.0, self._behind - SLOWER * min(elapsed, played))
        else:
            self._behind = min(0.0, self._behind + FASTER * elapsed)
        if self._absent:
            # Nobody can tell slow motion from a pause now, so an absence counts as what was played in it.
            self._absent, self._behind = False, min(0.0, self._behind)
            if played > self._max_offline_us + MAX_BEHIND_US:
                return "too-long-away"
        if self._behind < -MAX_AHEAD_US:
            return "too-fast"
        if self._behind <= MAX_BEHIND_US:
            self._slow_since = None
        elif self._slow_since is None:
            self._slow_since = received
        elif received - self._slow_since > MAX_STALL_US:
            return "too-slow"
        return None

    def _check_page(self, at: Sequence[int]) -> str | None:
        least = self._period * (1 - FASTER)
        for time in at:
            if self._at is not None:
                if time <= self._at:
                    return "not-in-order"
                self._credit = min(MAX_BURST_US, self._credit + time - self._at - least)
                if self._credit < -MAX_BURST_US:
                    return "too-fast"
            self._at = time
        return None
