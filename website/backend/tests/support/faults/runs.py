"""Runs of one fault: players play, the fault happens, the arcade recovers, and `skill-arcade check` compares."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from tests.support.arcade import wait_ready
from tests.support.database import temporary_home
from tests.support.load import PlayerLoad, run_load
from tests.support.server import ServerUnderTest

N_PLAYERS = 2


@dataclass
class Result:
    """The outcome of the runs of one fault."""

    fault: str
    runs: int = 0
    steps: int = 0
    lost: int = 0
    duplicated: int = 0
    recovery_seconds: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def table_row(self) -> str:
        """Return a row of the table."""
        times = sorted(self.recovery_seconds)
        recovery = f"{times[len(times) // 2]:.1f} / {times[-1]:.1f}" if times else "-"
        return f"| {self.fault} | {self.runs} | {self.steps:,} | {self.lost} | {self.duplicated} | {recovery} |"


TABLE_HEADER = (
    "| fault | runs | steps seen by players | lost | duplicated | recovery, s: median / worst |\n"
    "|---|---|---|---|---|---|"
)
Fault = Callable[[ServerUnderTest, PlayerLoad, random.Random], Awaitable[None]]


async def play_and_break(server: ServerUnderTest, fault: Fault, result: Result, rng: random.Random, runs: int) -> None:
    """Run a fault `runs` times in one arcade, and check the recordings after each."""
    seen: dict[UUID, int] = {}
    for _ in range(runs):
        async with run_load(server.port, rng, N_PLAYERS) as load:
            await asyncio.sleep(rng.uniform(0.8, 3.0))
            before, started = load.n_frames, time.monotonic()
            await fault(server, load, rng)
            async with asyncio.timeout(60):
                while load.n_frames < before + 20:  # until frames arrive again
                    await asyncio.sleep(0.02)
                await asyncio.to_thread(wait_ready, load.url, server.running)
            result.recovery_seconds.append(time.monotonic() - started)
        await server.wait_until_uploaded()
        seen.update(load.seen)
        await add_check(server, seen, result)
        result.steps += sum(load.seen.values())
        result.runs += 1
        print(result.table_row(), flush=True)  # noqa: T201


async def add_check(server: ServerUnderTest, seen: dict[UUID, int], result: Result) -> None:
    """Add the findings of `skill-arcade check`."""
    reports = await server.check(seen)
    result.lost = max(result.lost, sum(report.lost for report in reports))
    result.duplicated = max(result.duplicated, sum(report.duplicated for report in reports))
    result.problems = [f"{report.episode}: {problem}" for report in reports for problem in report.problems]


@asynccontextmanager
async def running_server(**settings: str) -> AsyncIterator[ServerUnderTest]:
    """Run a server with its own home folder."""
    with temporary_home() as home:
        server = ServerUnderTest(home, settings)
        await asyncio.to_thread(server.start)
        try:
            yield server
        finally:
            await asyncio.to_thread(server.stop)
