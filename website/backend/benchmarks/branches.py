"""Time from asking to play from a random frame of a recorded round to its picture, over loopback, with a real server.

Each row is one game, whose round a program that touches nothing has played; the figures are over `branches` frames. In
rows with a rest, another connection has asked for the same frame so long before, as a replay does (rule O40).
"""

import asyncio
import random
import statistics
import threading
import time
from contextlib import suppress

from benchmarks.report import Report, load_average
from skill_arcade.client import ArcadeEnv, ConnectionClosed
from tests.conftest import temporary_home
from tests.support.arcade import Arcade, running_arcade, wait_until_uploaded

GAMES = ("breakout", "ms-pacman", "tetris", "pong")
COLUMNS = ("game", "steps", "rest ms", "branches", "ms median", "ms p95", "ms most", "load")
NAME = "branches"
REST_SECONDS = (0.0, 0.5, 1.0)
"""Time for which the branch is being prepared when it is asked for."""
PAUSE_SECONDS = 4.2
"""Time between branches, because the arcade limits the games that a player opens."""


def run(steps: int = 18_000, branches: int = 40, games: str = ",".join(GAMES)) -> Report:
    """Measure `branches` branches of a round of at most `steps` steps of each game, for each rest."""
    report = Report("branches", COLUMNS)
    with temporary_home() as home, running_arcade(home, None, CERTIFIER="false") as arcade:
        for game in games.split(","):
            episode, n_steps = play(arcade, game, steps)
            for rest in REST_SECONDS:
                times = sorted(measure(arcade, game, (episode, n_steps), branches, rest))
                p95 = times[min(len(times) - 1, round(0.95 * len(times)))]
                report.add(
                    *(game, n_steps, 1000 * rest, branches, statistics.median(times), p95, times[-1], load_average())
                )
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


def measure(arcade: Arcade, game: str, played: tuple[str, int], branches: int, rest: float) -> list[float]:
    """Return the milliseconds from the request of a ticket to the first picture, for each branch of an episode."""
    draw, times = random.Random(game), []
    episode, n_steps = played
    for _ in range(branches):
        time.sleep(PAUSE_SECONDS)
        branch = episode, draw.randrange(n_steps)
        if rest:
            threading.Thread(target=prepare, args=(arcade, game, branch)).start()
            time.sleep(rest)
        begin = time.monotonic()
        with ArcadeEnv(arcade.url, game, name=NAME, branch=branch) as env:
            env.reset()
            times.append((time.monotonic() - begin) * 1000)
    return times


def prepare(arcade: Arcade, game: str, branch: tuple[str, int]) -> None:
    """Connect for a branch, until another connection takes its game."""
    with suppress(ConnectionClosed):
        ArcadeEnv(arcade.url, game, name=NAME, branch=branch)
