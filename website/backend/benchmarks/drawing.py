"""CPU time that each chart of the research page takes to draw in Chromium, with generated play."""

import json
import subprocess
from collections import defaultdict

from benchmarks.dashboard import RESEARCHER, generated_arcade
from benchmarks.page import FRONTEND
from benchmarks.report import Report, load_average, quantile

COLUMNS = ("view", "chart", "selection", "least CPU ms", "median CPU ms", "greatest CPU ms", "load")
SELECTIONS = {"game": "game=breakout", "game, split": "game=breakout&split=daytime&zone=Europe/Berlin"}


def run(episodes: int = 100_000, repeats: int = 5) -> Report:
    """Generate this many episodes, and draw each chart `repeats` times for each selection.

    Raises:
        RuntimeError: the page could not be measured; with the end of the program's output.
    """
    report = Report("drawing", COLUMNS)
    with generated_arcade(episodes, report) as (arcade, *_):
        for label, filters in SELECTIONS.items():
            load = load_average()
            for (view, chart), times in _measure(arcade.url, repeats, filters).items():
                figures = (min(times), quantile(times, 0.5), max(times))
                report.add(view, chart, label, *(round(figure, 1) for figure in figures), load)
    return report


def _measure(url: str, repeats: int, filters: str) -> dict[tuple[str, str], list[float]]:
    """Return the milliseconds of CPU by view and chart."""
    command = ["node", "scripts/drawing.mjs", url, RESEARCHER, str(repeats), filters]
    done = subprocess.run(command, cwd=FRONTEND, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the page could not be measured (website/play sets all up):\n{done.stderr[-3000:]}")
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    for reading in json.loads(done.stdout):
        times[reading["view"], reading["chart"]].append(reading["ms"])
    return times
