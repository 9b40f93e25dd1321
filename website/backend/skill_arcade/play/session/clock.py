"""The tick clock of the game loop: when the next step is due.

All times are microseconds of CLOCK_MONOTONIC, which all processes of a machine share.
"""

import time
from typing import Protocol

from skill_arcade.games.manifest import Pace


def now_us() -> int:
    """Return CLOCK_MONOTONIC in microseconds."""
    return time.monotonic_ns() // 1000


class Clock(Protocol):
    """Tells the session when the next step is due, whoever sets the pace."""

    @property
    def due_us(self) -> int | None:
        """Time at which the next step is due, or None if the game waits for the player."""

    def start(self, now: int) -> None:
        """Start, or continue after a pause."""

    def stop(self) -> None:
        """Make nothing due until `start`."""

    def shift_phase(self, later_us: float) -> None:
        """Shift the coming steps by `later_us` (earlier if negative), a little at each step.

        Clocks without a rate ignore it.
        """

    def on_step(self, now: int) -> int | None:
        """Note that a step begins now, and set the next deadline.

        Returns how late the step is in microseconds, or None if it had no deadline.
        """


MAX_PHASE_SHIFT = 0.01
"""Share of a period by which one tick may be moved to meet the player's display; 1 % is not noticeable."""


class TickClock:
    """Deadlines at a fixed rate.

    Ticks that are late by a whole period are skipped, not replayed, because a human could not react to them.
    """

    def __init__(self, hz: float) -> None:
        self._period_us = 1e6 / hz
        self._due_us: float | None = None
        self._pending_shift_us = 0.0

    @property
    def due_us(self) -> int | None:
        """Time at which the next tick is due, or None if the clock is stopped."""
        return None if self._due_us is None else int(self._due_us)

    def start(self, now: int) -> None:
        """Make the first tick due one period from now."""
        self._due_us, self._pending_shift_us = now + self._period_us, 0.0

    def stop(self) -> None:
        """Make no tick due until `start`."""
        self._due_us = None

    def shift_phase(self, later_us: float) -> None:
        """Shift the coming ticks by at most half a period in total and 1 % of a period at each tick.

        Replaces the last request.
        """
        self._pending_shift_us = max(-self._period_us / 2, min(self._period_us / 2, later_us))

    def on_step(self, now: int) -> int:
        """Return how late this tick is in microseconds, and set the next deadline.

        Raises ValueError if the clock is stopped.
        """
        if self._due_us is None:
            raise ValueError("the clock is stopped")
        late_us = now - self._due_us
        max_shift_us = MAX_PHASE_SHIFT * self._period_us
        shift_us = max(-max_shift_us, min(max_shift_us, self._pending_shift_us))
        self._pending_shift_us -= shift_us
        self._due_us += self._period_us + shift_us
        if late_us >= self._period_us:
            self._due_us = now + self._period_us
        return int(late_us)


class TurnClock:
    """Clock of turn-based games: nothing is ever due, because each press is a step."""

    due_us: int | None = None

    def start(self, now: int) -> None: ...

    def stop(self) -> None: ...

    def shift_phase(self, later_us: float) -> None: ...

    def on_step(self, now: int) -> None: ...


class AgentClock:
    """Clock of a turn-based game in which an agent moves at its own pace, and not while the person plays."""

    def __init__(self, interval_us: int | None) -> None:
        """`interval_us` is the time from one step to the agent's next one; None: the agent does not move."""
        self._interval_us = interval_us
        self._next_us: int | None = None
        self._hold_until_us = 0
        self._is_held = False

    @property
    def due_us(self) -> int | None:
        """Time at which the agent moves, or None if it does not: it is paused, or a control is held."""
        is_waiting = self._next_us is None or self._interval_us is None or self._is_held
        return None if is_waiting else max(self._next_us or 0, self._hold_until_us)

    def start(self, now: int) -> None:
        """Let the agent move one interval from now."""
        self._is_held, self._hold_until_us = False, now
        self._next_us = now + (self._interval_us or 0)

    def stop(self) -> None:
        """Let the agent not move until `start`."""
        self._next_us = None

    def shift_phase(self, later_us: float) -> None: ...

    def on_step(self, now: int) -> None:
        """Note that somebody has moved: the agent's next move is one interval from now at the earliest."""
        self._next_us = now + (self._interval_us or 0)

    def set_interval(self, interval_us: int | None, now: int) -> None:
        """Change the agent's pace; None: it does not move any more."""
        self._interval_us = interval_us
        if self._next_us is not None:
            self.on_step(now)

    def hold_off(self, until_us: int, *, is_held: bool) -> None:
        """Let the agent not move before this time, and not while a control is held."""
        self._hold_until_us, self._is_held = until_us, is_held


def make_clock(pace: Pace) -> Clock:
    """Return the clock of a game whose pace the server sets."""
    return TickClock(pace.hz) if pace.kind == "real-time" else TurnClock()
