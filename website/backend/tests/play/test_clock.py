"""When ticks are due: at their rate, and moved to meet a display."""

from itertools import pairwise

import pytest

from skill_arcade.play.session.clock import MAX_PHASE_SHIFT, TickClock

PERIOD = 1e6 / 60


def dues(clock: TickClock, n: int) -> list[int]:
    found = []
    for _ in range(n):
        assert clock.due_us is not None
        found.append(clock.due_us)
        clock.on_step(clock.due_us)
    return found


def test_ticks_keep_their_rate() -> None:
    clock = TickClock(60)
    clock.start(0)
    assert dues(clock, 600)[-1] == pytest.approx(600 * PERIOD, abs=1)


@pytest.mark.parametrize("later_us", [4000.0, -4000.0, 0.0])
def test_f6_ticks_are_moved_little_by_little(later_us: float) -> None:
    clock = TickClock(60)
    clock.start(0)
    clock.shift_phase(later_us)
    found = dues(clock, 120)
    assert found[-1] == pytest.approx(120 * PERIOD + later_us, abs=1)
    gaps = [after - before for before, after in pairwise(found)]
    assert max(abs(gap - PERIOD) for gap in gaps) <= MAX_PHASE_SHIFT * PERIOD + 1


@pytest.mark.parametrize("wish", [1e6, -1e6])
def test_f6_no_wish_moves_ticks_by_more_than_half_a_period(wish: float) -> None:
    clock = TickClock(60)
    clock.start(0)
    clock.shift_phase(wish)
    moved = dues(clock, 300)[-1] - 300 * PERIOD
    assert abs(moved) == pytest.approx(PERIOD / 2, abs=1)


def test_f6_a_new_wish_replaces_the_last() -> None:
    clock = TickClock(60)
    clock.start(0)
    clock.shift_phase(8000.0)
    dues(clock, 10)
    clock.shift_phase(0.0)
    assert dues(clock, 100)[-1] == pytest.approx(110 * PERIOD + 10 * MAX_PHASE_SHIFT * PERIOD, abs=2)


def test_a_pause_forgets_the_wish() -> None:
    clock = TickClock(60)
    clock.start(0)
    clock.shift_phase(8000.0)
    clock.stop()
    clock.start(1_000_000)
    assert dues(clock, 60)[-1] == pytest.approx(1_000_000 + 60 * PERIOD, abs=1)
