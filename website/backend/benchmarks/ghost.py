"""Intervals between painted frames of Breakout without a ghost, with a hidden ghost, and with one that is shown.

The built page plays in Chromium with the real server (`e2e/ghost-intervals.test.ts`). Times of paint come from the
recordings. A hidden ghost is decoded as well, so the difference between the last two is the drawing.
"""

from benchmarks.page import measure_in_chromium
from benchmarks.report import Report, load_average, quantile

REFRESH_MS = 1000 / 60
COLUMNS = ("ghost", "paints", "p50 ms", "p95 ms", "p99 ms", "longer than 1.5 refreshes %", "load")


def run(seconds: float = 10.0, repeats: int = 4) -> Report:
    """Measure `repeats` rounds of `seconds` of each kind, in alternating order."""
    report = Report("ghost", COLUMNS)
    readings = measure_in_chromium("ghost-intervals", "GHOST", {"seconds": seconds, "repeats": repeats})
    for kind, intervals in readings.items():
        late = sum(interval > 1.5 * REFRESH_MS for interval in intervals) / len(intervals)
        quantiles = (quantile(intervals, share) for share in (0.5, 0.95, 0.99))
        report.add(kind, len(intervals), *quantiles, 100 * late, load_average())
    return report
