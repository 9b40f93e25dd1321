"""Aligns the browser's clock with the server's.

Each ping has four times: sent and returned (browser clock), received and answered (server clock). They give an offset
with an error of at most half the round-trip time. The method is that of NTP (Mills et al., RFC 5905: section 8 for
offset and delay, section 10 for the filter). Of each group of neighbouring samples the one with the shortest round trip
is used, because queues only add delay. The offset is interpolated between these samples, which follows a steady drift.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

NEIGHBOURS = 8
"""Number of neighbouring samples, half of them before and half after, among which the shortest round trip is chosen."""

DRIFT = 15e-6
"""Maximum drift between two clocks, in seconds per second (PHI of RFC 5905). It is added to the error bound."""

Floats = NDArray[np.float64]


class ClockAlignment:
    """Maps one episode's browser times to server times. All times are in microseconds.

    Browser times count from the page's time origin, server times from the episode's start on the monotonic clock.
    """

    def __init__(self, samples: Sequence[dict[str, Any]]) -> None:
        """Align the clocks. `samples` are the data of the episode's events of kind `clock`."""
        sent = np.array([sample["asked_ms"] for sample in samples], float) * 1000
        returned = np.array([sample["back_ms"] for sample in samples], float) * 1000
        received = np.array([sample["received_us"] for sample in samples], float)
        answered = np.array([sample["answered_us"] for sample in samples], float)
        self.round_trip_us: Floats = (returned - sent) - (answered - received)
        """Round-trip time of each sample without the server's processing time, (n,)."""
        offset = ((received - sent) + (answered - returned)) / 2
        best = _best_of_neighbours(self.round_trip_us)
        order = best[np.argsort(((sent + returned) / 2)[best], kind="stable")]
        self._at, self._offset, self._error = (
            ((sent + returned) / 2)[order],
            offset[order],
            self.round_trip_us[order] / 2,
        )

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.round_trip_us)

    def to_server(self, browser_us: ArrayLike) -> Floats:
        """Convert browser times to server times. NaN stays NaN; without samples all results are NaN."""
        times = np.asarray(browser_us, float)
        if not len(self):
            return np.full_like(times, np.nan)
        server_times: Floats = times + np.interp(times, self._at, self._offset)
        return server_times

    def error(self, browser_us: ArrayLike) -> Floats:
        """Return the error bound of `to_server` at these times: half the round trip of the used samples, plus drift.

        It is a strict bound: it holds for any asymmetry between the two directions of the network.
        """
        times = np.asarray(browser_us, float)
        if not len(self):
            return np.full_like(times, np.inf)
        right = np.clip(np.searchsorted(self._at, times), 1, max(len(self._at) - 1, 1))
        left, right = right - 1, np.minimum(right, len(self._at) - 1)
        distance = np.minimum(np.abs(times - self._at[left]), np.abs(times - self._at[right]))
        bound: Floats = np.maximum(self._error[left], self._error[right]) + DRIFT * distance
        return bound


def _best_of_neighbours(round_trip: Floats) -> NDArray[np.intp]:
    """Return the indices of the samples with the shortest round trip in a neighbourhood, without duplicates."""
    half = NEIGHBOURS // 2
    chosen = {
        max(0, index - half) + int(np.argmin(round_trip[max(0, index - half) : index + half]))
        for index in range(len(round_trip))
    }
    return np.array(sorted(chosen), np.intp)
