"""Frame rate, memory and long tasks of the page during minutes of play in Chromium.

`e2e/endurance.test.ts` plays Breakout in the built page, streamed. It serves, moves left and right, and restarts after
each end. A long task uses the main thread for more than 50 ms (W3C, Long Tasks API), which delays three frames.
"""

from benchmarks.page import measure_in_chromium
from benchmarks.report import Report, load_average, quantile

COLUMNS = (
    "minute", "long tasks", "longest ms", "heap MB", "DOM nodes", "pictures", "never painted", "gap p50 ms",
    "gap p99 ms", "load",
)  # fmt: skip


def run(minutes: float = 10.0, every: float = 60.0) -> Report:
    """Play for `minutes`, and add a row every `every` seconds. The heap is read after a garbage collection."""
    report = Report("endurance", COLUMNS)
    for reading in measure_in_chromium("endurance", "ENDURANCE", {"minutes": minutes, "every": every}):
        tasks, gaps = reading["longTasks"], reading["gaps"]
        report.add(
            reading["second"] / 60, len(tasks), max(tasks, default=0.0), reading["heap"] / 2**20, reading["nodes"],
            len(gaps) + 1, reading["skipped"], quantile(gaps, 0.5), quantile(gaps, 0.99), load_average(),
        )  # fmt: skip
    return report
