"""Watching a long episode in the built page in Chromium: first picture, seeks, clips, memory and bytes.

A script that follows the ball plays Breakout on a manual clock, which takes less time than the game. The real server
uploads its segments, and the page's side (`e2e/replay-budget.test.ts`) opens it as a researcher.
"""

import sys
import tempfile
from pathlib import Path

from benchmarks.certify import SEGMENT_US
from benchmarks.minutes import HZ, follow_ball
from benchmarks.page import measure_in_chromium
from benchmarks.report import Report, load_average
from skill_arcade.settings import Settings
from tests.support.session_harness import SessionHarness

COLUMNS = ("measure", "value", "unit", "target", "load")


def run(minutes: float = 30.0) -> Report:
    """Measure an episode of `minutes` of game time."""
    report = Report("replay", COLUMNS)
    measures = measure_in_chromium("replay-budget", "REPLAY", {"minutes": minutes, "seeks": 200})
    for row in measures:
        report.add(row["name"], row["value"], row["unit"], row["target"], load_average())
    return report


def write_episode(home: Path, minutes: float) -> str:
    """Put a finished episode of `minutes` of game time into the journal of an arcade; return its id."""
    journal = Settings(_env_file=None, skill_arcade_home=home).journal_folder
    with tempfile.TemporaryDirectory(dir=home) as waiting:
        harness = SessionHarness(Path(waiting), "breakout", segment_us=SEGMENT_US)
        follow_ball(harness, round(minutes * 60 * HZ))
        ended = harness.messages_of("ended")
        [folder] = (path for path in Path(waiting).iterdir() if path.is_dir())
        folder.rename(journal / folder.name)
    return str(ended["episode"])


if __name__ == "__main__":
    sys.stdout.write(write_episode(Path(sys.argv[1]), float(sys.argv[2])))
