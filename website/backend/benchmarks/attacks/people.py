"""Bystanders: people at play whose frames are timed while somebody attacks."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from websockets.asyncio.client import connect

from skill_arcade.wire.packet import FramePacket
from tests.arcade import Player, sign_in, ticket_for


@dataclass
class Bystanders:
    """Arrival times of every frame of everybody, by person."""

    arrivals: list[list[float]] = field(default_factory=list)
    breaks: int = 0

    def intervals(self, since: float, until: float) -> list[float]:
        """Milliseconds between frames that arrived between these moments, sorted."""
        found = []
        for person in self.arrivals:
            inside = [at for at in person if since <= at <= until]
            found += [1000 * (b - a) for a, b in itertools.pairwise(inside)]
        return sorted(found)


@asynccontextmanager
async def bystanders(port: int, people: int) -> AsyncIterator[Bystanders]:
    """So many people at Breakout, who do nothing but watch."""
    crowd = Bystanders([[] for _ in range(people)])
    tasks = [asyncio.create_task(_watch(port, f"by{number}", crowd, number)) for number in range(people)]
    try:
        async with asyncio.timeout(60):
            while not all(len(person) > 30 for person in crowd.arrivals):
                await asyncio.sleep(0.05)
                for task in tasks:
                    if task.done():
                        task.result()
        yield crowd
        for task in tasks:
            crowd.breaks += task.done()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _watch(port: int, name: str, crowd: Bystanders, number: int) -> None:
    url = f"http://127.0.0.1:{port}"
    ticket = await ticket_for(url, await sign_in(url, f"{name}@example.org"), "breakout")
    async with connect(f"ws://127.0.0.1:{port}/ws/breakout?token={ticket}", compression=None) as socket:
        player = Player(socket, keep_pictures=False)
        await player.hello()
        await player.say("start")
        while True:
            if isinstance(await player.read(), FramePacket):
                crowd.arrivals[number].append(time.monotonic())


def spread(intervals: list[float]) -> str:
    """`p50 / p99` of sorted milliseconds."""
    if not intervals:
        return "-"
    return f"{intervals[len(intervals) // 2]:.1f} / {intervals[int(len(intervals) * 0.99)]:.1f}"
