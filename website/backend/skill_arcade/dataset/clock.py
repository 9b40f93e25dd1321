"""Aligns the browser's clock with the server's.

Each ping has four times: sent and returned (browser clock), received and answered (server clock). They give an offset
with an error of at most half the round-trip time. The method is that of NTP (Mills et al., RFC 5905: section 8 for
offset and delay, section 10 for the filter). Of each group of neighbouring samples the one with the shortest round trip
is used, because queues only add delay. The offset is interpolated between these samples, which follows a steady drift.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
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

    def __init__(self, samples: Sequence[dict[str, Any]], moves_us: Sequence[float] = ()) -> None:
        """Align the clocks.

        * `samples`: the data of the episode's events of kind `clock`.
        * `moves_us`: server times at which the episode went on on another server, whose clock has another offset. No
          alignment uses samples of both.
        """
        times = [
            np.array([sample[key] for sample in samples], float) * factor
            for key, factor in (("asked_ms", 1000), ("received_us", 1), ("answered_us", 1), ("back_ms", 1000))
        ]
        sent, received, answered, returned = times
        self.round_trip_us: Floats = (returned - sent) - (answered - received)
        """Round-trip time of each sample without the server's processing time, (n,)."""
        part = np.searchsorted(np.sort(np.asarray(moves_us, float)), received, side="right")
        self._parts = [_Part(*(time[part == number] for time in times)) for number in np.unique(part)]
        # The game is paused between the last sample of one server and the first one of the next.
        self._limits = [(before.last + after.first) / 2 for before, after in pairwise(self._parts)]

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.round_trip_us)

    def to_server(self, browser_us: ArrayLike) -> Floats:
        """Convert browser times to server times. NaN stays NaN; without samples all results are NaN."""
        return self._map(browser_us, _Part.to_server, np.nan)

    def error(self, browser_us: ArrayLike) -> Floats:
        """Return the error bound of `to_server` at these times: half the round trip of the used samples, plus drift.

        It is a strict bound: it holds for any asymmetry between the two directions of the network.
        """
        return self._map(browser_us, _Part.error, np.inf)

    def _map(self, browser_us: ArrayLike, convert: Callable[["_Part", Floats], Floats], unknown: float) -> Floats:
        times = np.asarray(browser_us, float)
        result = np.full_like(times, unknown)
        number = np.searchsorted(self._limits, times)
        for index, part in enumerate(self._parts):
            chosen = number == index
            result[chosen] = convert(part, times[chosen])
        return result


class _Part:
    """The samples of one server."""

    def __init__(self, sent: Floats, received: Floats, answered: Floats, returned: Floats) -> None:
        round_trip, middle = (returned - sent) - (answered - received), (sent + returned) / 2
        offset = ((received - sent) + (answered - returned)) / 2
        best = _best_of_neighbours(round_trip)
        order = best[np.argsort(middle[best], kind="stable")]
        self._at, self._offset, self._error = middle[order], offset[order], round_trip[order] / 2
        self.first, self.last = float(sent.min()), float(returned.max())

    def to_server(self, times: Floats) -> Floats:
        server_times: Floats = times + np.interp(times, self._at, self._offset)
        return server_times

    def error(self, times: Floats) -> Floats:
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
