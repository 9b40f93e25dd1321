"""The browser's clock and the server's, aligned.

Each ping gives four times (asked and back on the browser's clock, received and answered on the server's), and so an
offset that is wrong by at most half the round trip. The method is NTP's (Mills et al., RFC 5905: section 8 for offset
and delay, section 10 for the filter): of some neighbouring samples the one with the shortest round trip is the best,
since queues only ever add. Between such samples the offset is interpolated, which follows a steady drift.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

NEIGHBOURS = 8
"""Samples that a sample is compared with, half of them before it and half after."""

DRIFT = 15e-6
"""How fast two ordinary clocks may part between samples (RFC 5905, PHI): added to the error."""

Floats = NDArray[np.float64]


class ClockAlignment:
    """One episode's map from the browser's clock to the server's. All times in microseconds.

    Browser: since the page's time origin; server: since the episode's start, monotonic.
    """

    def __init__(self, samples: Sequence[dict[str, Any]]) -> None:
        """`samples` are the data of the episode's events of kind `clock`."""
        asked = np.array([sample["asked_ms"] for sample in samples], float) * 1000
        back = np.array([sample["back_ms"] for sample in samples], float) * 1000
        received = np.array([sample["received_us"] for sample in samples], float)
        answered = np.array([sample["answered_us"] for sample in samples], float)
        self.round_trip_us: Floats = (back - asked) - (answered - received)
        """Network time of each sample, (n,)."""
        offset = ((received - asked) + (answered - back)) / 2
        best = _best_of_neighbours(self.round_trip_us)
        order = best[np.argsort(((asked + back) / 2)[best], kind="stable")]
        self._at, self._offset, self._error = ((asked + back) / 2)[order], offset[order], self.round_trip_us[order] / 2

    def __len__(self) -> int:
        """Samples that it rests on."""
        return len(self.round_trip_us)

    def to_server(self, browser_us: ArrayLike) -> Floats:
        """Times of the browser's clock on the server's; NaN stays NaN, and all are NaN without samples."""
        times = np.asarray(browser_us, float)
        if not len(self):
            return np.full_like(times, np.nan)
        placed: Floats = times + np.interp(times, self._at, self._offset)
        return placed

    def error(self, browser_us: ArrayLike) -> Floats:
        """How wrong `to_server` may be at these times: half the round trip of the samples used, plus drift since.

        A bound, not a spread: it holds however unequal the two directions of the network were.
        """
        times = np.asarray(browser_us, float)
        if not len(self):
            return np.full_like(times, np.inf)
        right = np.clip(np.searchsorted(self._at, times), 1, max(len(self._at) - 1, 1))
        left, right = right - 1, np.minimum(right, len(self._at) - 1)
        away = np.minimum(np.abs(times - self._at[left]), np.abs(times - self._at[right]))
        bound: Floats = np.maximum(self._error[left], self._error[right]) + DRIFT * away
        return bound


def _best_of_neighbours(round_trip: Floats) -> NDArray[np.intp]:
    """Indices of the samples that have the shortest round trip among the neighbours of any sample, each once."""
    half = NEIGHBOURS // 2
    chosen = {
        max(0, place - half) + int(np.argmin(round_trip[max(0, place - half) : place + half]))
        for place in range(len(round_trip))
    }
    return np.array(sorted(chosen), np.intp)
