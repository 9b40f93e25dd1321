"""Signals of programs: scripted presses are flagged, presses that vary as those of people do are not."""

import random
from collections.abc import Callable

import pytest

from skill_arcade.boards.signals import Press, find_signals, pair_presses

TICK_US = 1e6 / 60


def press_like_a_person(draw: random.Random) -> list[Press]:
    """Presses with log-normal holds and intervals, as studies of typing and of games report them."""
    hold, gap = draw.uniform(60_000, 140_000), draw.uniform(150_000, 600_000)
    at, presses = draw.uniform(0, 1e7), []
    for _ in range(draw.randrange(20, 300)):
        length = draw.lognormvariate(0, draw.uniform(0.2, 0.4)) * hold
        presses.append(Press(round(at), round(at + length)))
        at += max(length + 20_000, draw.lognormvariate(0, draw.uniform(0.3, 0.6)) * gap)
    return presses


def press_evenly(draw: random.Random) -> list[Press]:
    """A program that holds each key equally long."""
    hold = draw.randrange(10_000, 100_000)
    starts = [n * 250_000 + draw.randrange(100_000) for n in range(60)]
    return [Press(at, at + hold + draw.randrange(200)) for at in starts]


def press_at_intervals(draw: random.Random) -> list[Press]:
    """A program that presses at equal intervals."""
    interval = draw.randrange(100_000, 500_000)
    return [Press(n * interval, n * interval + draw.randrange(20_000, 90_000)) for n in range(60)]


def press_by_ticks(draw: random.Random) -> list[Press]:
    """A program that decides once per step."""
    at, presses = 0.0, []
    for _ in range(60):
        length = draw.randrange(1, 12) * TICK_US
        presses.append(Press(round(at), round(at + length)))
        at += length + draw.randrange(2, 30) * TICK_US
    return presses


@pytest.mark.parametrize("play", [press_evenly, press_at_intervals, press_by_ticks])
def test_scripted_presses_are_flagged(play: Callable[[random.Random], list[Press]]) -> None:
    draw = random.Random(5)
    flagged = sum(bool(find_signals(play(draw), tick_us=TICK_US)) for _ in range(300))
    assert flagged >= 0.99 * 300


def test_presses_that_vary_like_those_of_people_are_rarely_flagged() -> None:
    draw = random.Random(6)
    flagged = sum(bool(find_signals(press_like_a_person(draw), tick_us=TICK_US)) for _ in range(1000))
    assert flagged <= 0.01 * 1000


def test_few_presses_are_never_flagged() -> None:
    assert find_signals([Press(n * 100_000, n * 100_000 + 50_000) for n in range(19)], tick_us=TICK_US) == []


@pytest.mark.parametrize(
    ("facts", "signal"),
    [
        ({"n_unfocused": 5}, "out-of-focus"),
        ({"n_before_shown": 5}, "before-shown"),
        ({"active_speed": 0.95}, "slow"),
        ({"overall_speed": 0.5, "pauses": 10}, "many-pauses"),
    ],
)
def test_contradictions_and_slow_play_are_flagged(facts: dict[str, float], signal: str) -> None:
    assert find_signals([], **facts) == [signal]  # type: ignore[arg-type]


def test_fast_presses_are_flagged() -> None:
    draw = random.Random(7)
    starts = sorted(draw.randrange(900_000) for _ in range(25))
    assert "fast-presses" in find_signals([Press(at, at + draw.randrange(9_000, 30_000)) for at in starts])


def test_presses_are_paired_by_control_and_only_of_the_keyboard() -> None:
    def event(at: int, control: str, down: bool, device: str = "keyboard") -> tuple[str, int, dict[str, object]]:
        return "input", at, {"control": control, "down": down, "device": device}

    presses, n_unfocused = pair_presses(
        [
            event(1, "left", True),
            event(2, "fire", True),
            event(3, "left", False),
            ("focus", 4, {"state": "blur"}),
            event(5, "up", True),
            event(6, "down", True, "gamepad"),
            ("focus", 7, {"state": "focus"}),
            event(8, "fire", False),
        ]
    )
    assert presses == [Press(1, 3), Press(2, 8), Press(5, None)]
    assert n_unfocused == 1
