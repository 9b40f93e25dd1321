"""One program that plays Breakout at each pace, with a real server behind networks with delay.

A step is a call of `step`. Observations are left out in real time only: those that pass between two calls.
"""

import asyncio
import statistics
import time

from benchmarks.report import Report, load_average
from skill_arcade.client import ArcadeEnv
from skill_arcade.client.env import Pace
from tests.conftest import temporary_home
from tests.support.arcade import Arcade, running_arcade
from tests.support.lockstep_page import EMPTY_MODULE
from tests.support.network import NetworkConditions, delaying_proxy

PACES: tuple[Pace, ...] = ("stepped", "realtime", "lockstep")
COLUMNS = ("round trip ms", "pace", "steps/s median", "least", "most", "observations left out %", "load")


def run(round_trips: tuple[int, ...] = (0, 40, 150), seconds: float = 5.0, repeats: int = 3) -> Report:
    """Measure `repeats` runs of `seconds` at each pace, for each round-trip time in ms."""
    report = Report("paces", COLUMNS)
    with temporary_home() as home:
        (home / "lockstep.wasm").write_bytes(EMPTY_MODULE)
        with running_arcade(home, None, LOCKSTEP_FOLDER=str(home), CERTIFIER="false") as arcade:
            for round_trip in round_trips:
                asyncio.run(_measure_network(report, arcade, round_trip, seconds, repeats))
    return report


async def _measure_network(report: Report, arcade: Arcade, round_trip: int, seconds: float, repeats: int) -> None:
    network = NetworkConditions(up_ms=round_trip / 2, down_ms=round_trip / 2)
    async with delaying_proxy(network, arcade.port) as port:
        for pace in PACES:
            url = f"http://127.0.0.1:{port}"
            runs = [await asyncio.to_thread(measure, url, pace, seconds) for _ in range(repeats)]
            rates, left_out = [rate for rate, _ in runs], statistics.median(share for _, share in runs)
            median = statistics.median(rates)
            report.add(round_trip, pace, median, min(rates), max(rates), 100 * left_out, load_average())


def measure(url: str, pace: Pace, seconds: float) -> tuple[float, float]:
    """Return the steps per second of a run, and the share of the observations that were left out."""
    with ArcadeEnv(url, "breakout", name=f"pace-{pace}", pace=pace) as env:
        _, info = env.reset()
        begin, n_steps, n_frames = time.monotonic(), 0, 0
        while (elapsed := time.monotonic() - begin) < seconds:
            before = info["arcade"]["frame"]
            *_, terminated, truncated, info = env.step(n_steps % 4)
            n_steps, n_frames = n_steps + 1, n_frames + info["arcade"]["frame"] - before
            if terminated or truncated:
                _, info = env.reset()
    return n_steps / elapsed, 1 - n_steps / n_frames
