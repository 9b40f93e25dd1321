"""Time from asking to play from a random frame of a recorded round to its picture, over loopback, with a real server.

Each row is one game, whose round a program that touches nothing has played; the figures are over `branches` frames.
"""

import asyncio
import random
import statistics
import time

from benchmarks.report import Report, load_average
from skill_arcade.client import ArcadeEnv
from tests.conftest import temporary_home
from tests.support.arcade import Arcade, running_arcade, wait_until_uploaded

GAMES = ("breakout", "ms-pacman", "tetris", "pong")
COLUMNS = ("game", "steps", "branches", "ms median", "ms p95", "ms most", "load")
NAME = "branches"
PAUSE_SECONDS = 2.1
"""Time between branches, because the arcade limits the games that a player opens."""


def run(steps: int = 18_000, branches: int = 40) -> Report:
    """Measure `branches` branches of a round of at most `steps` steps of each game."""
    report = Report("branches", COLUMNS)
    with temporary_home() as home, running_arcade(home, None, CERTIFIER="false") as arcade:
        for game in GAMES:
            episode, n_steps = play(arcade, game, steps)
            times = sorted(measure(arcade, game, (episode, n_steps), branches))
            p95 = times[min(len(times) - 1, round(0.95 * len(times)))]
            report.add(game, n_steps, branches, statistics.median(times), p95, times[-1], load_average())
    return report


def play(arcade: Arcade, game: str, steps: int) -> tuple[str, int]:
    """Play a round without touching anything. Return its id and number of steps."""
    with ArcadeEnv(arcade.url, game, name=NAME) as env:
        _, info = env.reset()
        for _ in range(steps):
            *_, terminated, truncated, info = env.step(0)
            if terminated or truncated:
                break
    asyncio.run(wait_until_uploaded(arcade))
    return info["arcade"]["episode"], info["arcade"]["frame"]


def measure(arcade: Arcade, game: str, played: tuple[str, int], branches: int) -> list[float]:
    """Return the milliseconds from the request of a ticket to the first picture, for each branch of an episode."""
    draw, times = random.Random(game), []
    episode, n_steps = played
    for _ in range(branches):
        time.sleep(PAUSE_SECONDS)
        begin = time.monotonic()
        with ArcadeEnv(arcade.url, game, name=NAME, branch=(episode, draw.randrange(n_steps))) as env:
            env.reset()
            times.append((time.monotonic() - begin) * 1000)
    return times
