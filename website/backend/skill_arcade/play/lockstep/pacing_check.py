"""Checks that a lockstep page steps at a pace at which a person could have played (rules L5 to L7 of wire/SPEC.md).

Two clocks are compared. By the server's clock the game may neither run ahead, nor fall behind by more than stutters and
a slow display explain. By the page's own clock, which stamps each step, steps may not come faster than the game.
"""

from collections.abc import Sequence

MAX_SPEEDUP, MAX_SLOWDOWN = 0.015, 0.1
"""Share by which a display of nominally 60 Hz may run fast, and by which a page may fall behind permanently."""
MAX_AHEAD_US = 250_000
"""Tolerance for clocks that are read a moment apart and for a first step that comes early."""
MAX_BEHIND_US = 2_000_000
"""Tolerance for network latency, batching, and stutters for which the page does not pause."""
MAX_DELAYED_US = 1_000_000.0
"""Time by which the steps of an absence may have been delayed. The rest of `MAX_BEHIND_US` is left for a stutter."""
MAX_STALL_US = 1_000_000
"""Steps that the network delayed arrive together; a page that is still behind after this time is slow."""
MAX_BURST_US = 100_000
"""By the page's own clock, late steps may be followed by early ones."""


class PacingCheck:
    """Follows the pace of one game. All times are microseconds; `received` and `now` are on the server's clock."""

    def __init__(self, hz: float, max_offline_us: int) -> None:
        self._period_us = 1e6 / hz
        self._max_offline_us = max_offline_us
        self._last_received_us = 0
        self._behind_us = 0.0
        self._was_disconnected = False
        self._slow_since_us: int | None = None
        self._last_step_us: int | None = None
        self._credit_us = 0.0

    def start(self, now: int) -> None:
        """Start, or continue after a pause."""
        self._last_received_us, self._behind_us, self._was_disconnected, self._slow_since_us = now, 0.0, False, None
        self._last_step_us, self._credit_us = None, 0.0

    def on_reconnect(self) -> None:
        """Count the next batch of steps as played while the page was disconnected."""
        self._was_disconnected = True

    def check(self, at: Sequence[int], received: int) -> str | None:
        """Check steps that arrived together, by the times at which the page took them.

        Return the kind of violation, or None.
        """
        return self._check_server(len(at), received) or self._check_page(at)

    def _check_server(self, n_steps: int, received: int) -> str | None:
        played_us, elapsed_us = n_steps * self._period_us, received - self._last_received_us
        self._last_received_us = received
        self._behind_us += elapsed_us - played_us
        if self._was_disconnected:
            # Slow motion cannot be told from a pause here, so a disconnection counts as the steps that were played in
            # it. They may have been delayed themselves; those that were taken meanwhile then arrive at once.
            self._was_disconnected = False
            if played_us > self._max_offline_us + MAX_BEHIND_US:
                return "too-long-away"
            self._behind_us = min(MAX_DELAYED_US, self._behind_us)
        elif self._behind_us > 0:
            # A page may lose time gradually; a silence is not forgiven, because the delayed steps arrive later.
            self._behind_us = max(0.0, self._behind_us - MAX_SLOWDOWN * min(elapsed_us, played_us))
        if self._behind_us < 0:
            self._behind_us = min(0.0, self._behind_us + MAX_SPEEDUP * elapsed_us)
        if self._behind_us < -MAX_AHEAD_US:
            return "too-fast"
        if self._behind_us <= MAX_BEHIND_US:
            self._slow_since_us = None
        elif self._slow_since_us is None:
            self._slow_since_us = received
        elif received - self._slow_since_us > MAX_STALL_US:
            return "too-slow"
        return None

    def _check_page(self, at: Sequence[int]) -> str | None:
        min_interval_us = self._period_us * (1 - MAX_SPEEDUP)
        for time in at:
            if self._last_step_us is not None:
                if time <= self._last_step_us:
                    return "not-in-order"
                self._credit_us = min(MAX_BURST_US, self._credit_us + time - self._last_step_us - min_interval_us)
                if self._credit_us < -MAX_BURST_US:
                    return "too-fast"
            self._last_step_us = time
        return None
