"""Cost of people who watch a game live, and whether its player notices.

One scripted player plays Breakout on a real server. Phases without watchers and with `watchers` of them alternate in
one run, so that both have the same machine and load. The watchers are in a process of their own and check that they get
every frame. CPU is that of the server's process and of the game's process.
"""

import asyncio
import itertools
import multiprocessing
import struct
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from benchmarks.report import Report, load_average, quantile
from skill_arcade.wire.packet import FramePacket
from tests.support.arcade import Arcade, Player, find_games, open_player, running_arcade

HZ = 60
COLUMNS = (
    "watchers",
    "server CPU %",
    "game CPU %",
    "interval p50 ms",
    "interval p95 ms",
    "interval p99 ms",
    "messages/s a watcher",
    "B/s a watcher",
    "frames lost",
    "load",
)
SETTLE_SECONDS = 2.0
"""Time after a change of the number of watchers before measuring; the last ones have then caught up."""


class Cpu(NamedTuple):
    """CPU seconds so far."""

    server: float
    game: float


def run(watchers: int = 50, seconds: float = 12.0, repeats: int = 2) -> Report:
    """Measure `repeats` phases without watchers and with them."""
    report = Report("spectators", COLUMNS)
    with (
        tempfile.TemporaryDirectory(prefix="arcade-") as folder,
        running_arcade(Path(folder), RATE_LIMIT_BURST=str(4 * watchers + 100)) as arcade,
    ):
        asyncio.run(_measure(arcade, report, watchers, seconds, repeats))
    alone, watched = ([row for row in report.rows if bool(row[0]) is has] for has in (False, True))
    server, game = (_mean(watched, column) - _mean(alone, column) for column in (1, 2))
    report.facts["cost of the watchers, % of a core (server, game)"] = {"server": server, "game": game}
    report.facts["cost of the watchers, % of a core"] = server + game
    for column, name in ((3, "p50"), (4, "p95"), (5, "p99")):
        report.facts[f"interval {name}, watched / alone"] = _mean(watched, column) / _mean(alone, column)
    return report


def _mean(rows: list[tuple[Any, ...]], column: int) -> float:
    return float(sum(row[column] for row in rows) / len(rows))


async def _measure(arcade: Arcade, report: Report, watchers: int, seconds: float, repeats: int) -> None:
    async with open_player(arcade, "player@example.org", "breakout") as player:
        player.keep_pictures = False
        await player.send("watch", allowed=True)
        token = (await player.read_until("watchable"))["token"]
        await player.send("start")
        await player.read_until("started")
        playing = asyncio.create_task(_play(player))
        game = find_games(arcade.process.pid)
        for _ in range(repeats):
            for count in (0, watchers):
                async with _watching(arcade, token, count) as counts:
                    await asyncio.sleep(SETTLE_SECONDS)
                    before, begin, first = _read_cpu(arcade, game), time.monotonic(), len(player.arrival_times)
                    start_counts = counts()
                    await asyncio.sleep(seconds)
                    after, elapsed = _read_cpu(arcade, game), time.monotonic() - begin
                    messages, size = (b - a for a, b in zip(start_counts[:2], counts()[:2], strict=True))
                    times = player.arrival_times[first:]
                    intervals = [(b - a) * 1000 for a, b in itertools.pairwise(times)]
                    share = max(count, 1) * elapsed
                    report.add(
                        count,
                        100 * (after.server - before.server) / elapsed,
                        100 * (after.game - before.game) / elapsed,
                        *(quantile(intervals, part) for part in (0.5, 0.95, 0.99)),
                        messages / share,
                        size / share,
                        counts()[2],
                        load_average(),
                    )
        playing.cancel()


async def _play(player: Player) -> None:
    """Press keys, and start again after each episode."""
    while True:
        message = await player.read()
        if isinstance(message, FramePacket):
            if message.frame % HZ == 0:
                await player.tap(("fire", "left", "right")[message.frame // HZ % 3])
        elif message["type"] == "ended":
            await player.send("start")


def _read_cpu(arcade: Arcade, games: list[psutil.Process]) -> Cpu:
    def spent(process: psutil.Process) -> float:
        times = process.cpu_times()
        return float(times.user + times.system)

    return Cpu(spent(psutil.Process(arcade.process.pid)), sum(map(spent, games)))


@asynccontextmanager
async def _watching(arcade: Arcade, token: str, count: int) -> AsyncIterator[Any]:
    """Let `count` watchers join, in another process. Yields a function that returns messages, bytes and lost frames."""
    here, there = multiprocessing.Pipe()
    counts: Any = multiprocessing.get_context("spawn").Array("q", 3)
    process = multiprocessing.get_context("spawn").Process(
        target=_run_watchers, args=(arcade.port, token, count, counts, there), daemon=True
    )
    process.start()
    await asyncio.to_thread(here.recv)
    try:
        yield lambda: list(counts)
    finally:
        here.send("stop")
        await asyncio.to_thread(process.join, 30)
        if process.is_alive():
            process.kill()


def _run_watchers(port: int, token: str, count: int, counts: Any, pipe: Connection) -> None:
    asyncio.run(_watch_all(port, token, count, counts, pipe))


async def _watch_all(port: int, token: str, count: int, counts: Any, pipe: Connection) -> None:
    tasks = [asyncio.create_task(_watch(port, token, counts)) for _ in range(count)]
    pipe.send("started")
    await asyncio.to_thread(pipe.recv)
    failed = [task for task in tasks if task.done()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if failed:
        raise RuntimeError(f"{len(failed)} of {count} watchers were closed: {failed[0].exception()}")


async def _watch(port: int, token: str, counts: Any) -> None:
    """Watch, and count messages, bytes, and frames that are missing between two others."""
    offered = [Subprotocol("skill-arcade"), Subprotocol(f"watch.{token}")]
    address = f"ws://127.0.0.1:{port}/ws/watch/live"
    async with connect(address, subprotocols=offered, compression=None, open_timeout=60) as socket:
        last = None
        async for message in socket:
            counts[0] += 1
            counts[1] += len(message)
            place = 0
            while isinstance(message, bytes) and place < len(message):
                (length,) = struct.unpack_from("<I", message, place)
                (frame,) = struct.unpack_from("<I", message, place + 8)
                if last is not None and frame > last + 1:
                    counts[2] += frame - last - 1
                last = frame
                place += 4 + length
