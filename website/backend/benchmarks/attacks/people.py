"""Bystanders: people at play whose frames are timed while somebody attacks."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from websockets.asyncio.client import connect

from skill_arcade.wire.packet import FramePacket
from tests.support.arcade import Player, issue_ticket, sign_in


@dataclass
class Bystanders:
    """When every frame of everybody arrived, and when it was stepped, by person: seconds of CLOCK_MONOTONIC."""

    frames: list[list[tuple[float, float]]] = field(default_factory=list)
    breaks: int = 0

    def intervals(self, since: float, until: float) -> list[float]:
        """Milliseconds between frames that arrived between these moments, sorted."""
        return self._pauses(since, until, 0)

    def ticks(self, since: float, until: float) -> list[float]:
        """Milliseconds between the steps of these frames, in the game's process, sorted."""
        return self._pauses(since, until, 1)

    def ways(self, since: float, until: float) -> list[float]:
        """Milliseconds from each of these frames' step to its arrival: through the server, sorted."""
        found = (frame for person in self.frames for frame in person if since <= frame[0] <= until)
        return sorted(1000 * (arrived - stepped) for arrived, stepped in found)

    def _pauses(self, since: float, until: float, which: int) -> list[float]:
        found = []
        for person in self.frames:
            inside = [frame[which] for frame in person if since <= frame[0] <= until]
            found += [1000 * (b - a) for a, b in itertools.pairwise(inside)]
        return sorted(found)


@asynccontextmanager
async def bystanders(port: int, people: int) -> AsyncIterator[Bystanders]:
    """So many people at Breakout, who do nothing but watch."""
    crowd = Bystanders([[] for _ in range(people)])
    tasks = [asyncio.create_task(_watch(port, f"by{number}", crowd, number)) for number in range(people)]
    try:
        async with asyncio.timeout(60):
            while not all(len(person) > 30 for person in crowd.frames):
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
    ticket = await issue_ticket(url, await sign_in(url, f"{name}@example.org"), "breakout")
    async with connect(f"ws://127.0.0.1:{port}/ws/breakout?token={ticket}", compression=None) as socket:
        player = Player(socket, keep_pictures=False)
        await player.hello()
        await player.send("start")
        while True:
            if isinstance(packet := await player.read(), FramePacket):
                crowd.frames[number].append((time.monotonic(), packet.server_us / 1e6))


def spread(intervals: list[float]) -> str:
    """`p50 / p99` of sorted milliseconds."""
    if not intervals:
        return "-"
    return f"{intervals[len(intervals) // 2]:.1f} / {intervals[int(len(intervals) * 0.99)]:.1f}"
