"""Minutes of play in Chromium: whether the page keeps its rate and its memory, and what holds it up.

Breakout, streamed, in the built page (`e2e/endurance.test.ts`): served, moved to and fro, begun again when it is over.
A long task takes more than 50 ms of the page's main thread (W3C, Long Tasks API): three pictures would come late.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.latency import FRONTEND
from benchmarks.report import Report, load_average, quantile

COLUMNS = (
    "minute", "long tasks", "longest ms", "heap MB", "DOM nodes", "pictures", "never painted", "gap p50 ms",
    "gap p99 ms", "load",
)  # fmt: skip


def run(minutes: float = 10.0, every: float = 60.0) -> Report:
    """Play so many minutes; a row every so many seconds, heap read after a collection of garbage."""
    report = Report("endurance", COLUMNS)
    for reading in play_in_chromium(minutes, every):
        tasks, gaps = reading["longTasks"], reading["gaps"]
        report.add(
            reading["second"] / 60, len(tasks), max(tasks, default=0.0), reading["heap"] / 2**20, reading["nodes"],
            len(gaps) + 1, reading["skipped"], quantile(gaps, 0.5), quantile(gaps, 0.99), load_average(),
        )  # fmt: skip
    return report


def play_in_chromium(minutes: float, every: float) -> list[dict[str, Any]]:
    """The page's readings. Raises RuntimeError with its words when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "readings.json"
        plan = json.dumps({"minutes": minutes, "every": every})
        environment = {**os.environ, "ENDURANCE_PLAN": plan, "ENDURANCE_RESULT": str(result)}
        command = ["npx", "vitest", "run", "--config", "e2e/vitest.config.ts", "endurance"]
        done = subprocess.run(command, cwd=FRONTEND, env=environment, capture_output=True, text=True, check=False)
        if not result.exists():
            raise RuntimeError(f"the page could not be measured (website/play sets all up):\n{done.stdout[-3000:]}")
        readings: list[dict[str, Any]] = json.loads(result.read_text())
        return readings
