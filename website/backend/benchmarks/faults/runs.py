"""Runs of one fault: people play, something breaks, it recovers, and `check` judges."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from tests.conftest import temporary_home
from tests.support.arcade import wait_ready
from tests.support.load import PlayerLoad, run_load
from tests.support.server import ServerUnderTest

PEOPLE = 2


@dataclass
class Result:
    """What came of the runs of one fault."""

    fault: str
    runs: int = 0
    steps: int = 0
    lost: int = 0
    doubled: int = 0
    recovery: list[float] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)

    def line(self) -> str:
        """A row of the table."""
        times = sorted(self.recovery)
        middle = f"{times[len(times) // 2]:.1f} / {times[-1]:.1f}" if times else "-"
        return f"| {self.fault} | {self.runs} | {self.steps:,} | {self.lost} | {self.doubled} | {middle} |"


HEAD = (
    "| fault | runs | steps seen by players | lost | doubled | recovery, s: median / worst |\n|---|---|---|---|---|---|"
)
Break = Callable[[ServerUnderTest, PlayerLoad, random.Random], Awaitable[None]]


async def play_and_break(house: ServerUnderTest, act: Break, result: Result, rng: random.Random, runs: int) -> None:
    """So many runs of one fault in one arcade, checked after each."""
    seen: dict[UUID, int] = {}
    for _ in range(runs):
        async with run_load(house.port, rng, PEOPLE) as crowd:
            await asyncio.sleep(rng.uniform(0.8, 3.0))
            before, begun = crowd.n_frames, time.monotonic()
            await act(house, crowd, rng)
            async with asyncio.timeout(60):
                while crowd.n_frames < before + 20:  # they play again
                    await asyncio.sleep(0.02)
                await asyncio.to_thread(wait_ready, crowd.url, house.running)
            result.recovery.append(time.monotonic() - begun)
        await house.wait_until_uploaded()
        seen.update(crowd.seen)
        await judge(house, seen, result)
        result.steps += sum(crowd.seen.values())
        result.runs += 1
        print(result.line(), flush=True)  # noqa: T201


async def judge(house: ServerUnderTest, seen: dict[UUID, int], result: Result) -> None:
    """Add what `check` finds."""
    reports = await house.check(seen)
    result.lost = max(result.lost, sum(report.lost for report in reports))
    result.doubled = max(result.doubled, sum(report.duplicated for report in reports))
    result.trouble = [f"{report.episode}: {word}" for report in reports for word in report.problems]


@asynccontextmanager
async def running(**settings: str) -> AsyncIterator[ServerUnderTest]:
    """An arcade on a home of its own."""
    with temporary_home() as home:
        house = ServerUnderTest(home, settings)
        await asyncio.to_thread(house.start)
        try:
            yield house
        finally:
            await asyncio.to_thread(house.stop)
