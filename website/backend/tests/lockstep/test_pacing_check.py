"""Pacing of lockstep steps: what is allowed and what is not (rules L5 to L7)."""

from collections.abc import Iterator

import pytest

from skill_arcade.play.lockstep.pacing_check import PacingCheck

HZ, PERIOD = 60.0, 1e6 / 60
AWAY = 20_000_000
SERVER_START_US = 5_000_000_000
"""The server's clock at the start of the game in microseconds. The page's clock is then 0."""
BATCH = 6


class Page:
    """A page whose batches arrive `delay` microseconds after their last step."""

    def __init__(self, delay: int = 75_000) -> None:
        self.check = PacingCheck(HZ, AWAY)
        self.check.start(SERVER_START_US)
        self.delay = delay
        self.now = 0.0

    def play(self, seconds: float, *, speed: float = 1.0, clock: float = 1.0) -> str | None:
        """Play for `seconds`. `clock` is the rate of the page's own clock. Return the first violation, or None."""
        for at in self.batches(seconds, speed, clock):
            if (violation := self.send(at)) is not None:
                return violation
        return None

    def batches(self, seconds: float, speed: float, clock: float) -> Iterator[list[int]]:
        end, at = self.now + seconds * 1e6, []
        while self.now < end:
            self.now += PERIOD / speed
            at.append(round(self.now * clock))
            if len(at) == BATCH:
                yield at
                at = []

    def send(self, at: list[int]) -> str | None:
        """Deliver steps that were taken at these times."""
        return self.check.check(at, SERVER_START_US + round(self.now) + self.delay)


@pytest.mark.parametrize("delay", [0, 75_000, 300_000])
@pytest.mark.parametrize("speed", [1.0, 0.93, 1.01])
def test_L6_pacing_of_honest_page_is_accepted_at_any_latency(delay: int, speed: float) -> None:
    assert Page(delay).play(3600, speed=speed) is None


def test_L6_pacing_allows_stutters_of_1_s() -> None:
    page = Page()
    for _ in range(5):
        assert page.play(60) is None
        page.now += 1_000_000


def test_L6_pacing_allows_network_stalls_of_4_s() -> None:
    page = Page()
    for _ in range(3):
        assert page.play(20) is None
        delayed_batches = list(page.batches(4.5, 1, 1))
        assert [page.send(at) for at in delayed_batches] == [None] * len(delayed_batches)
    assert page.play(20) is None


def test_L6_pacing_detects_slow_motion() -> None:
    page = Page()
    assert page.play(10) is None
    assert page.play(10, speed=0.5) == "too-slow"


@pytest.mark.parametrize("speed", [0.85, 0.5, 0.1])
def test_L6_pacing_detects_slow_motion_with_slowed_page_clock(speed: float) -> None:
    assert Page().play(120, speed=speed, clock=speed) == "too-slow"


@pytest.mark.parametrize("speed", [1.1, 2.0, 10.0])
def test_L6_pacing_detects_speedup(speed: float) -> None:
    page = Page()
    assert page.play(10) is None
    assert page.play(60, speed=speed) == "too-fast"


def test_L6_pacing_detects_speedup_with_manipulated_page_clock() -> None:
    assert Page().play(60, speed=2.0, clock=2.0) == "too-fast"


def test_L6_pacing_gives_no_credit_for_stutters() -> None:
    page = Page()
    for _ in range(10):
        assert page.play(60) is None
        page.now += 1_000_000
    assert page.play(5, speed=1.5) == "too-fast"


def test_L6_pacing_rejects_steps_out_of_order() -> None:
    page = Page()
    assert page.play(1) is None
    assert page.send([round(page.now) + 16_000, round(page.now) + 15_000]) == "not-in-order"


def test_L5_pacing_accepts_missed_steps_after_reconnect() -> None:
    page = Page()
    assert page.play(10) is None
    missed_steps = [at for batch in page.batches(15, 1, 1) for at in batch]
    page.check.on_reconnect()
    assert page.send(missed_steps) is None
    assert page.play(10) is None


def test_L6_pacing_counts_disconnection_as_steps_played() -> None:
    page = Page()
    assert page.play(10) is None
    missed_steps = [at for batch in page.batches(12, 1, 1) for at in batch]
    page.now += 45_000_000
    page.check.on_reconnect()
    assert page.send(missed_steps) is None
    assert page.play(60) is None


def test_L6_pacing_allows_a_network_stall_right_after_a_reconnect() -> None:
    page = Page()
    assert page.play(10) is None
    missed_steps = [at for batch in page.batches(4, 1, 1) for at in batch]
    delayed_steps = [at for batch in page.batches(0.9, 1, 1) for at in batch]  # taken while the others were delayed
    page.check.on_reconnect()
    assert page.send(missed_steps) is None
    assert page.send(delayed_steps) is None
    assert page.play(60) is None


def test_L6_pacing_allows_a_stutter_right_after_an_absence() -> None:
    page = Page()
    assert page.play(10) is None
    page.now += 30_000_000
    page.check.on_reconnect()
    assert page.play(1) is None
    page.now += 900_000
    assert page.play(60) is None


def test_L6_pacing_detects_speedup_after_an_absence_without_steps() -> None:
    page = Page()
    assert page.play(10) is None
    page.now += 30_000_000
    page.check.on_reconnect()
    assert page.play(1) is None
    assert page.play(60, speed=2, clock=2) == "too-fast"


def test_L6_pacing_rejects_too_many_steps_after_reconnect() -> None:
    page = Page()
    assert page.play(10) is None
    missed_steps = [at for batch in page.batches(AWAY / 1e6 + 3, 1, 1) for at in batch]
    page.check.on_reconnect()
    assert page.send(missed_steps) == "too-long-away"


def test_L6_pacing_detects_speedup_while_disconnected() -> None:
    page = Page()
    assert page.play(10) is None
    missed_steps = [at for batch in page.batches(5, 2, 2) for at in batch]
    page.check.on_reconnect()
    assert page.send(missed_steps) == "too-fast"


def test_L6_pacing_does_not_count_pauses() -> None:
    page = Page()
    assert page.play(10) is None
    page.now += 600_000_000
    page.check.start(SERVER_START_US + round(page.now))
    assert page.play(60) is None
