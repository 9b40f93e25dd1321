"""When the next step is due. All times are microseconds of CLOCK_MONOTONIC, which all processes share."""

import time
from typing import Protocol

from skill_arcade.games.manifest import Pace


def now_us() -> int:
    """CLOCK_MONOTONIC in microseconds."""
    return time.monotonic_ns() // 1000


class Clock(Protocol):
    """Says when the next step is due. The session does not care who paces it."""

    @property
    def due_us(self) -> int | None:
        """When the next step is due; None: it waits for the player."""

    def start(self, now: int) -> None:
        """Begin, or go on after a pause."""

    def stop(self) -> None:
        """Nothing is due until `start`."""

    def shift_phase(self, later_us: float) -> None:
        """Let the steps to come begin so much later, or earlier, little by little; who has no rate ignores it."""

    def on_step(self, now: int) -> int | None:
        """A step begins now: returns how late it is (None: it had no deadline), and sets the next deadline."""


MAX_PHASE_SHIFT = 0.01
"""Share of its period by which a tick may be moved to meet the player's display: nobody feels one in a hundred."""


class TickClock:
    """Absolute deadlines at a fixed rate. A tick missed by a whole period is not made up for: a person plays."""

    def __init__(self, hz: float) -> None:
        self._period = 1e6 / hz
        self._due: float | None = None
        self._pending_shift_us = 0.0

    @property
    def due_us(self) -> int | None:
        """When the next tick is due; None: stopped."""
        return None if self._due is None else int(self._due)

    def start(self, now: int) -> None:
        """The first tick is due a period from now."""
        self._due, self._pending_shift_us = now + self._period, 0.0

    def stop(self) -> None:
        """No ticks."""
        self._due = None

    def shift_phase(self, later_us: float) -> None:
        """Move the ticks to come, by half a period at most and 1 % of one at each. A new wish replaces the last."""
        self._pending_shift_us = max(-self._period / 2, min(self._period / 2, later_us))

    def on_step(self, now: int) -> int:
        """Lateness of this tick in microseconds."""
        if self._due is None:
            raise ValueError("the clock is stopped")
        late = now - self._due
        most = MAX_PHASE_SHIFT * self._period
        move = max(-most, min(most, self._pending_shift_us))
        self._pending_shift_us -= move
        self._due += self._period + move
        if late >= self._period:
            self._due = now + self._period
        return int(late)


class TurnClock:
    """Nothing is ever due: the player's presses are the steps."""

    due_us: int | None = None

    def start(self, now: int) -> None:
        """Nothing to do."""

    def stop(self) -> None:
        """Nothing to do."""

    def shift_phase(self, later_us: float) -> None:
        """Nothing to move."""

    def on_step(self, now: int) -> None:
        """Never late."""


def make_clock(pace: Pace) -> Clock:
    """The clock of a game that the server paces."""
    return TickClock(pace.hz) if pace.kind == "real-time" else TurnClock()
