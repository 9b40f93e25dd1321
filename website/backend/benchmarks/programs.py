"""Steps per second of one program that plays stepped, over loopback, with a real server.

Each row is one game; the figures are medians of `repeats` runs, and the range of all. The CPU time is that of the
program, the server and the game process, which work one after the other. It depends less on what else runs. What the
game before left to upload is uploaded first.
"""

import asyncio
import statistics
import time
from typing import Literal

import psutil

from benchmarks.report import Report, load_average
from skill_arcade.agents.cart_pole import CartPolePolicy
from skill_arcade.agents.policy import Policy
from skill_arcade.client import ArcadeEnv
from tests.conftest import temporary_home
from tests.support.arcade import Arcade, find_games, running_arcade, wait_until_uploaded

GAMES = ("breakout", "cart-pole", "minigrid-fetch", "frozen-lake", "tower-of-hanoi")
SCRIPTED = "cart-pole"
"""The game that its script plays too, with episodes of 500 steps. Random actions end one after 22."""
COLUMNS = ("game", "actions", "steps", "steps/s median", "least", "most", "CPU ms a step", "load")


def run(steps: int = 1000, repeats: int = 5) -> Report:
    """Measure `repeats` runs of `steps` steps of each game."""
    report = Report("programs", COLUMNS)
    with temporary_home() as home, running_arcade(home, None, CERTIFIER="false") as arcade:
        for game, policy in [*((game, None) for game in GAMES), (SCRIPTED, CartPolePolicy())]:
            asyncio.run(wait_until_uploaded(arcade))
            rates, cpu_ms = measure(arcade, game, policy, steps, repeats)
            actions = "random" if policy is None else "its script"
            report.add(game, actions, steps, statistics.median(rates), min(rates), max(rates), cpu_ms, load_average())
    return report


def measure(arcade: Arcade, game: str, policy: Policy | None, steps: int, repeats: int) -> tuple[list[float], float]:
    """Return the steps per second of each run, and the median of CPU milliseconds a step. Resets are part of a run.

    `policy` gets what the environment returns; None stands for random actions.
    """
    seen: Literal["picture", "environment"] = "picture" if policy is None else "environment"
    env = ArcadeEnv(arcade.url, game, name=f"pace-{game}-{seen}", observations=seen)
    rates, cpu_ms = [], []
    for _ in range(repeats):
        observation, info = env.reset()
        game_process = max(find_games(arcade.process.pid), key=psutil.Process.create_time)
        processes = [psutil.Process(), psutil.Process(arcade.process.pid), game_process]
        begin, cpu_begin = time.monotonic(), read_cpu_seconds(processes)
        for _ in range(steps):
            action = env.action_space.sample() if policy is None else policy.choose(observation, info)
            observation, _, terminated, truncated, info = env.step(action)
            if terminated or truncated:
                observation, info = env.reset()
        rates.append(steps / (time.monotonic() - begin))
        cpu_ms.append((read_cpu_seconds(processes) - cpu_begin) * 1000 / steps)
    env.close()
    return rates, statistics.median(cpu_ms)


def read_cpu_seconds(processes: list[psutil.Process]) -> float:
    """Return the CPU time that the processes have taken so far."""
    times = [process.cpu_times() for process in processes]
    return sum(one.user + one.system for one in times)
