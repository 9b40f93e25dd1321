"""Steps per second of one program that plays stepped, over loopback, with a real server.

Each row is one game; the figures are medians of `repeats` runs, and the range of all.
"""

import statistics
import time

from benchmarks.report import Report, load_average
from skill_arcade.client import ArcadeEnv
from tests.conftest import temporary_home
from tests.support.arcade import Arcade, running_arcade

GAMES = ("breakout", "cart-pole", "minigrid-fetch", "frozen-lake", "tower-of-hanoi")
COLUMNS = ("game", "steps", "steps/s median", "least", "most", "load")


def run(steps: int = 1000, repeats: int = 5) -> Report:
    """Measure `repeats` runs of `steps` steps of each game."""
    report = Report("programs", COLUMNS)
    with temporary_home() as home, running_arcade(home, None, CERTIFIER="false") as arcade:
        for game in GAMES:
            rates = measure(arcade, game, steps, repeats)
            report.add(game, steps, statistics.median(rates), min(rates), max(rates), load_average())
    return report


def measure(arcade: Arcade, game: str, steps: int, repeats: int) -> list[float]:
    """Return the steps per second of each run. Resets are part of a run."""
    env = ArcadeEnv(arcade.url, game, name=f"pace-{game}")
    rates = []
    for _ in range(repeats):
        env.reset()
        begin = time.monotonic()
        for _ in range(steps):
            *_, terminated, truncated, _ = env.step(env.action_space.sample())
            if terminated or truncated:
                env.reset()
        rates.append(steps / (time.monotonic() - begin))
    env.close()
    return rates
