"""Rules L5 to L7: what a page may do with time, and what it may not."""

from collections.abc import Iterator

import pytest

from skill_arcade.play.lockstep.pacing_check import PacingCheck

HZ, PERIOD = 60.0, 1e6 / 60
AWAY = 20_000_000
SERVER = 5_000_000_000
"""The server's clock when the game begins; the page's stands at 0."""
BATCH = 6


class Page:
    """A page that plays; its batches arrive `delay` after their last step."""

    def __init__(self, delay: int = 75_000) -> None:
        self.window = PacingCheck(HZ, AWAY)
        self.window.start(SERVER)
        self.delay = delay
        self.now = 0.0

    def play(self, seconds: float, *, speed: float = 1.0, clock: float = 1.0) -> str | None:
        """Play this long by the wall; `clock`: how fast the page's own clock goes. The first fault, if any."""
        for at in self.batches(seconds, speed, clock):
            if (fault := self.send(at)) is not None:
                return fault
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
        return self.window.check(at, SERVER + round(self.now) + self.delay)


@pytest.mark.parametrize("delay", [0, 75_000, 300_000])
@pytest.mark.parametrize("speed", [1.0, 0.93, 1.01])
def test_L5_a_person_plays_for_an_hour_however_far_away(delay: int, speed: float) -> None:
    assert Page(delay).play(3600, speed=speed) is None


def test_L5_a_stutter_of_a_second_now_and_then_is_no_fault() -> None:
    page = Page()
    for _ in range(5):
        assert page.play(60) is None
        page.now += 1_000_000


def test_L5_what_the_network_held_up_for_some_seconds_is_no_fault() -> None:
    page = Page()
    for _ in range(3):
        assert page.play(20) is None
        held_up = list(page.batches(4.5, 1, 1))
        assert [page.send(at) for at in held_up] == [None] * len(held_up)
    assert page.play(20) is None


def test_L6_slow_motion_is_found() -> None:
    page = Page()
    assert page.play(10) is None
    assert page.play(10, speed=0.5) == "too-slow"


@pytest.mark.parametrize("speed", [0.85, 0.5, 0.1])
def test_L6_slow_motion_is_found_though_the_clock_of_the_page_is_slowed_too(speed: float) -> None:
    assert Page().play(120, speed=speed, clock=speed) == "too-slow"


@pytest.mark.parametrize("speed", [1.1, 2.0, 10.0])
def test_L6_speeding_up_is_found(speed: float) -> None:
    page = Page()
    assert page.play(10) is None
    assert page.play(60, speed=speed) == "too-fast"


def test_L6_speeding_up_is_found_by_the_server_when_the_page_lies_about_its_clock() -> None:
    assert Page().play(60, speed=2.0, clock=2.0) == "too-fast"


def test_L6_time_saved_by_stutters_is_not_spent_on_a_sprint() -> None:
    page = Page()
    for _ in range(10):
        assert page.play(60) is None
        page.now += 1_000_000
    assert page.play(5, speed=1.5) == "too-fast"


def test_L6_steps_go_forward_in_time() -> None:
    page = Page()
    assert page.play(1) is None
    assert page.send([round(page.now) + 16_000, round(page.now) + 15_000]) == "not-in-order"


def test_L7_a_lost_connection_is_made_up_for_at_once() -> None:
    page = Page()
    assert page.play(10) is None
    away = [at for batch in page.batches(15, 1, 1) for at in batch]
    page.window.on_reconnect()
    assert page.send(away) is None
    assert page.play(10) is None


def test_L7_an_absence_counts_as_what_was_played_in_it() -> None:
    page = Page()
    assert page.play(10) is None
    away = [at for batch in page.batches(12, 1, 1) for at in batch]
    page.now += 45_000_000
    page.window.on_reconnect()
    assert page.send(away) is None
    assert page.play(60) is None


def test_L7_nobody_plays_alone_for_longer_than_allowed() -> None:
    page = Page()
    assert page.play(10) is None
    away = [at for batch in page.batches(AWAY / 1e6 + 3, 1, 1) for at in batch]
    page.window.on_reconnect()
    assert page.send(away) == "too-long-away"


def test_L7_an_absence_is_no_time_to_play_faster() -> None:
    page = Page()
    assert page.play(10) is None
    away = [at for batch in page.batches(5, 2, 2) for at in batch]
    page.window.on_reconnect()
    assert page.send(away) == "too-fast"


def test_L5_a_pause_is_not_counted() -> None:
    page = Page()
    assert page.play(10) is None
    page.now += 600_000_000
    page.window.start(SERVER + round(page.now))
    assert page.play(60) is None
