"""Signals that a program played, or that the game was slowed: for a person to look at. They change no rank.

A certificate proves what the game did, not whose hand it was. These measures of key presses are cheap and can be wrong
both ways.
"""

import itertools
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MIN_PRESSES = 20
"""Fewer presses of a keyboard say nothing about their distribution."""
MIN_VARIATION = 0.03
"""Coefficient of variation below which times are even. People vary by a tenth and more."""
MAX_TICK_DISTANCE_US = 1000
MIN_TICK_SHARE = 0.95
"""Share of holds that last a multiple of a tick (within 1 ms). By chance 12 % do at 60 Hz."""
MAX_PRESSES_PER_SECOND = 20
MAX_INTERVAL_US = 2_000_000
"""Longer intervals between presses are pauses."""
MIN_CONTRADICTIONS, MIN_CONTRADICTION_SHARE = 5, 0.05
SUSPECT_SPEED = 0.97
SUSPECT_OVERALL_SPEED, SUSPECT_PAUSES = 0.7, 10


@dataclass(frozen=True, slots=True)
class Press:
    """A press of a key. Times are microseconds of the browser's clock; `up_us` is None if it was not released."""

    down_us: int
    up_us: int | None


def pair_presses(events: Iterable[tuple[str, int | None, Mapping[str, Any]]]) -> tuple[list[Press], int]:
    """Return the presses of the keyboard in order, and the number of those while the page had no focus.

    `events` are kind, `client_us` and data, in order of arrival.
    """
    presses: list[Press] = []
    held: dict[str, int] = {}
    n_unfocused, has_focus = 0, True
    for kind, client_us, data in events:
        if kind == "focus":
            has_focus = data.get("state") not in ("hidden", "blurred", "blur")
        if kind != "input" or client_us is None or data.get("device") != "keyboard":
            continue
        control = str(data.get("control"))
        if data.get("down"):
            n_unfocused += not has_focus
            held.setdefault(control, client_us)
        elif control in held:
            presses.append(Press(held.pop(control), client_us))
    presses += [Press(down_us, None) for down_us in held.values()]
    return sorted(presses, key=lambda press: press.down_us), n_unfocused


def find_signals(
    presses: Sequence[Press],
    *,
    n_unfocused: int = 0,
    n_before_shown: int = 0,
    tick_us: float | None = None,
    active_speed: float | None = None,
    overall_speed: float | None = None,
    pauses: int = 0,
) -> list[str]:
    """Return the names of the signals of an episode.

    * `n_before_shown`: presses that refer to a frame which was painted after them, by the same clock.
    * `tick_us`: time between two steps; None for a turn-based game.
    """
    holds = [press.up_us - press.down_us for press in presses if press.up_us is not None]
    downs = [press.down_us for press in presses]
    intervals = [b - a for a, b in itertools.pairwise(downs) if b - a <= MAX_INTERVAL_US]
    found = {
        "even-holds": _are_even(holds),
        "even-intervals": _are_even(intervals),
        "tick-multiples": tick_us is not None and _follow_ticks(holds, tick_us),
        "fast-presses": any(b - a < 1_000_000 for a, b in zip(downs, downs[MAX_PRESSES_PER_SECOND:], strict=False)),
        "before-shown": n_before_shown >= max(MIN_CONTRADICTIONS, MIN_CONTRADICTION_SHARE * len(presses)),
        "out-of-focus": n_unfocused >= MIN_CONTRADICTIONS,
        "slow": active_speed is not None and active_speed < SUSPECT_SPEED,
        "many-pauses": overall_speed is not None and overall_speed < SUSPECT_OVERALL_SPEED and pauses >= SUSPECT_PAUSES,
    }
    return [name for name, is_found in found.items() if is_found]


def _are_even(times: Sequence[int]) -> bool:
    if len(times) < MIN_PRESSES or (mean := statistics.fmean(times)) <= 0:
        return False
    return statistics.pstdev(times) / mean < MIN_VARIATION


def _follow_ticks(holds: Sequence[int], tick_us: float) -> bool:
    if len(holds) < MIN_PRESSES:
        return False
    near = sum(abs(hold - round(hold / tick_us) * tick_us) <= MAX_TICK_DISTANCE_US for hold in holds)
    return near / len(holds) >= MIN_TICK_SHARE
