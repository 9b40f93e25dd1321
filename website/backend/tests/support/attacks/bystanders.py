"""Bystanders: players whose frames are timed while an attack runs."""

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
    """Arrival and step time of each frame, by player, in seconds of CLOCK_MONOTONIC."""

    frames: list[list[tuple[float, float]]] = field(default_factory=list)
    disconnects: int = 0

    def intervals(self, since: float, until: float) -> list[float]:
        """Return the milliseconds between frames that arrived in this period, sorted."""
        return self._intervals(since, until, 0)

    def ticks(self, since: float, until: float) -> list[float]:
        """Return the milliseconds between the steps of these frames in the game process, sorted."""
        return self._intervals(since, until, 1)

    def delays(self, since: float, until: float) -> list[float]:
        """Return the milliseconds from the step of each of these frames to its arrival, sorted."""
        selected = (frame for frames in self.frames for frame in frames if since <= frame[0] <= until)
        return sorted(1000 * (arrived - stepped) for arrived, stepped in selected)

    def _intervals(self, since: float, until: float, column: int) -> list[float]:
        selected = []
        for frames in self.frames:
            inside = [frame[column] for frame in frames if since <= frame[0] <= until]
            selected += [1000 * (b - a) for a, b in itertools.pairwise(inside)]
        return sorted(selected)


@asynccontextmanager
async def run_bystanders(port: int, n_players: int) -> AsyncIterator[Bystanders]:
    """Run players of Breakout who press nothing."""
    group = Bystanders([[] for _ in range(n_players)])
    tasks = [asyncio.create_task(_watch(port, f"by{number}", group, number)) for number in range(n_players)]
    try:
        async with asyncio.timeout(60):
            while not all(len(frames) > 30 for frames in group.frames):
                await asyncio.sleep(0.05)
                for task in tasks:
                    if task.done():
                        task.result()
        yield group
        for task in tasks:
            group.disconnects += task.done()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _watch(port: int, name: str, group: Bystanders, number: int) -> None:
    url = f"http://127.0.0.1:{port}"
    ticket = await issue_ticket(url, await sign_in(url, f"{name}@example.org"), "breakout")
    async with connect(f"ws://127.0.0.1:{port}/ws/breakout?token={ticket}", compression=None) as socket:
        player = Player(socket, keep_pictures=False)
        await player.hello()
        await player.send("start")
        while True:
            if isinstance(packet := await player.read(), FramePacket):
                group.frames[number].append((time.monotonic(), packet.server_us / 1e6))


def format_quantiles(intervals: list[float]) -> str:
    """Return `p50 / p99` of sorted milliseconds."""
    if not intervals:
        return "-"
    return f"{intervals[len(intervals) // 2]:.1f} / {intervals[int(len(intervals) * 0.99)]:.1f}"
