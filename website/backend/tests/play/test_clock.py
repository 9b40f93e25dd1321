"""The tick clock: its rate, and its phase shifts to match a display (rule F6)."""

from itertools import pairwise

import pytest

from skill_arcade.play.session.clock import MAX_PHASE_SHIFT, TickClock

PERIOD_US = 1e6 / 60


def take_ticks(clock: TickClock, n: int) -> list[int]:
    due_times = []
    for _ in range(n):
        assert clock.due_us is not None
        due_times.append(clock.due_us)
        clock.on_step(clock.due_us)
    return due_times


def test_tick_clock_keeps_its_rate() -> None:
    clock = TickClock(60)
    clock.start(0)
    assert take_ticks(clock, 600)[-1] == pytest.approx(600 * PERIOD_US, abs=1)


@pytest.mark.parametrize("later_us", [4000.0, -4000.0, 0.0])
def test_F6_tick_clock_shifts_phase_gradually(later_us: float) -> None:
    clock = TickClock(60)
    clock.start(0)
    clock.shift_phase(later_us)
    due_times = take_ticks(clock, 120)
    assert due_times[-1] == pytest.approx(120 * PERIOD_US + later_us, abs=1)
    gaps = [after - before for before, after in pairwise(due_times)]
    assert max(abs(gap - PERIOD_US) for gap in gaps) <= MAX_PHASE_SHIFT * PERIOD_US + 1


@pytest.mark.parametrize("shift_us", [1e6, -1e6])
def test_F6_tick_clock_limits_shift_to_half_a_period(shift_us: float) -> None:
    clock = TickClock(60)
    clock.start(0)
    clock.shift_phase(shift_us)
    total_shift_us = take_ticks(clock, 300)[-1] - 300 * PERIOD_US
    assert abs(total_shift_us) == pytest.approx(PERIOD_US / 2, abs=1)


def test_F6_tick_clock_replaces_pending_shift() -> None:
    clock = TickClock(60)
    clock.start(0)
    clock.shift_phase(8000.0)
    take_ticks(clock, 10)
    clock.shift_phase(0.0)
    assert take_ticks(clock, 100)[-1] == pytest.approx(110 * PERIOD_US + 10 * MAX_PHASE_SHIFT * PERIOD_US, abs=2)


def test_F6_tick_clock_drops_pending_shift_on_pause() -> None:
    clock = TickClock(60)
    clock.start(0)
    clock.shift_phase(8000.0)
    clock.stop()
    clock.start(1_000_000)
    assert take_ticks(clock, 60)[-1] == pytest.approx(1_000_000 + 60 * PERIOD_US, abs=1)
