"""Latency from a key to its picture in Chromium, streamed and in lockstep, and the server's CPU per player.

It runs Breakout in the built page with the real server, real key events and a proxy that adds latency
(`e2e/support/network.ts`). Latency is measured by the page's clock, from the key event to the start of the display
frame in which the first picture with a moved bat was drawn; the page's drawing call is observed. A frame gap is the
time between two pictures that the page reported as painted. Scripted players without a browser then measure the CPU.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.followers import measure_cpu
from benchmarks.page import measure_in_chromium
from benchmarks.report import Report, load_average, quantile
from skill_arcade.environments.factory import make_environment
from skill_arcade.games.catalogue import load_catalogue

PERIOD_MS = 1000 / 60
RIGHT_ACTION = 2
MODES = ("streamed", "lockstep")
COLUMNS = (
    "mode", "round trip ms", "jitter ms", "CPU slowed", "presses", "p50 ms", "p95 ms", "p99 ms", "floor p50 ms",
    "floor p95 ms", "card to picture, first ms", "card to picture, again ms", "Start to picture ms",
    "countdown's end to picture ms", "gap p50 ms", "gap p99 ms", "painted/s", "skipped", "up B/s", "down B/s",
    "load",
)  # fmt: skip


def run(
    delays: Sequence[int] = (0, 40, 80, 150, 300), presses: int = 60, seconds: float = 8.0, players: int = 16
) -> Report:
    """Measure both modes over each network, then the CPU that a player costs the server in each mode.

    Args:
        delays: round-trip times in ms. 80 and 150 get a second row with a fifth of them as jitter.
        presses: key presses for each row.
        seconds: duration of the measurement of frames and bytes for each row, and of CPU for each mode.
        players: number of scripted players for the CPU, or 0 to leave it out.
    """
    report = Report("latency", COLUMNS)
    lag = count_lag()
    report.facts["Breakout's own lag, steps"] = lag
    plan = {"networks": make_plan(delays), "presses": presses, "seconds": seconds}
    for row in measure_in_chromium("latency", "LATENCY", plan):
        report.add(*make_row(row, lag))
    if players:
        for mode in MODES:
            with tempfile.TemporaryDirectory(prefix="latency-", ignore_cleanup_errors=True) as folder:
                usage = uvloop.run(measure_cpu(Path(folder), mode, players, seconds))
            report.facts[f"{mode}, {players} players: CPU a player %"] = usage
            report.facts[f"{mode}: load then"] = load_average()
    return report


def make_plan(delays: Sequence[int]) -> list[dict[str, Any]]:
    """Return the networks: each delay, some with jitter, and one with a throttled CPU."""
    plain = [{"delay": delay, "jitter": 0, "throttle": 1} for delay in delays]
    jitter = [{"delay": delay, "jitter": delay // 5, "throttle": 1} for delay in delays if delay in (80, 150)]
    slow = [{"delay": delays[0], "jitter": 0, "throttle": 6}]
    return [{"mode": mode, **network} for mode in MODES for network in (*plain, *jitter, *slow)]


def count_lag() -> int:
    """Return the steps from the first one with an action to the first observation in which Breakout's bat has moved."""
    env = make_environment(load_catalogue().games["breakout"].environment)
    env.reset(1)
    for _ in range(60):
        env.step(0)
    before = env.picture().rgb()[190].copy()
    for step in range(1, 60):
        env.step(RIGHT_ACTION)
        if (env.picture().rgb()[190] != before).any():
            env.close()
            return step
    raise AssertionError("the bat does not move")


def make_row(row: dict[str, Any], lag: int) -> tuple[Any, ...]:
    """Return a row of the table.

    The floor is the wait for the next step, anywhere within a period, and the game's own lag. In streamed mode the
    round trip is added.
    """
    floor = [row["delay"] + row["jitter"] / 2 + (lag - 1 + share) * PERIOD_MS for share in (0.5, 0.95)]
    if row["mode"] == "lockstep":
        floor = [(lag - 1 + share) * PERIOD_MS for share in (0.5, 0.95)]
    times, gaps = row["presses"], row["gaps"]
    return (
        row["mode"], row["delay"], row["jitter"], f"{row['throttle']}x", len(times),
        *(quantile(times, share) for share in (0.5, 0.95, 0.99)), *floor,
        row["cold"], row["warm"], row["seen"], row["start"],
        *(quantile(gaps, share) for share in (0.5, 0.99)), row["painted"] / row["seconds"], row["skipped"],
        row["up"] / row["seconds"], row["down"] / row["seconds"], load_average(),
    )  # fmt: skip
