"""How many players one server holds at their rate, and what each costs.

Real server process, real sockets, recording on, embedded Postgres, objects on disk. Scripted players join and leave while
it measures. Everything shares this machine's cores with the load generator, which is counted apart.
"""

import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import uvloop
from websockets.asyncio.client import connect

from tests.arcade import running_arcade, sign_in, ticket_for

HELLO = {
    "type": "hello", "protocol": 1, "at": 1, "time_origin": 0, "browser": "bench", "screen": [1, 1],
    "pixel_ratio": 1, "refresh_hz": 60, "isolated": True,
}
GAMES = ("breakout",)


@dataclass
class Tally:
    """What the players saw."""

    intervals: list[float] = field(default_factory=list)
    frames: int = 0
    bytes: int = 0
    seconds: float = 0.0


async def play(url: str, port: int, token: str, game: str, tally: Tally, measuring: asyncio.Event, until: float, rng: random.Random) -> None:
    ticket = await ticket_for(url, token, game)
    async with connect(f"ws://127.0.0.1:{port}/ws/{game}?token={ticket}", compression=None) as ws:
        await ws.send(json.dumps(HELLO))
        await ws.recv()
        await ws.send(json.dumps({"type": "start", "at": 1}))
        last = None
        began = None
        held = None
        while time.monotonic() < until:
            data = await ws.recv()
            now = time.monotonic()
            if isinstance(data, str):
                if json.loads(data)["type"] == "ended":
                    await ws.send(json.dumps({"type": "start", "at": 1}))
                    last = None
                continue
            frame = int.from_bytes(data[4:8], "little")
            if measuring.is_set():
                if began is None:
                    began = now
                tally.frames += 1
                tally.bytes += len(data)
                if last is not None:
                    tally.intervals.append(now - last)
                last = now
            if frame % 6 == 0 or data[1] & 16:
                await ws.send(json.dumps({"type": "shown", "received": frame, "frames": [[frame - k, now * 1000] for k in range(6) if frame >= k]}))
            if rng.random() < 0.06:
                for control, down in ([(held, False)] if held else []) + [(held := rng.choice(["left", "right", "fire"]), True)]:
                    await ws.send(json.dumps({"type": "input", "at": now * 1000, "control": control, "down": down, "frame": frame, "device": "keyboard", "code": "x"}))
        await ws.send(json.dumps({"type": "leave", "at": 1}))
        if began is not None:
            tally.seconds += now - began


def cpu_by_part(server: int) -> dict[str, tuple[float, int]]:
    """CPU seconds and private bytes by part of the system."""
    parts: dict[str, list[float]] = {}
    root = psutil.Process(server)
    for process in [root, *root.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            line = " ".join(process.cmdline())
            part = "server" if process.pid == server else "delivery" if "spawn_main" in line else "postgres" if "postgres" in process.name() else "games"
            times = process.cpu_times()
            entry = parts.setdefault(part, [0.0, 0.0])
            entry[0] += times.user + times.system
            entry[1] += process.memory_full_info().uss
    for process in psutil.process_iter(["name"]):
        pass
    return {name: (a, int(b)) for name, (a, b) in parts.items()}


async def run(arcade, n: int, seconds: float) -> None:
    tally, measuring = Tally(), asyncio.Event()
    until = time.monotonic() + seconds + 3 + n * 0.05
    rng = random.Random(n)
    tasks = []
    for number in range(n):
        token = await sign_in(arcade.url, f"p{number}@example.org")
        tasks.append(asyncio.create_task(play(arcade.url, arcade.port, token, GAMES[number % len(GAMES)], tally, measuring, until, random.Random(number))))
        await asyncio.sleep(0.05)
    await asyncio.sleep(2)
    before, me, t0 = cpu_by_part(arcade.process.pid), time.process_time(), time.monotonic()
    measuring.set()
    await asyncio.sleep(seconds - 1)
    wall = time.monotonic() - t0
    after, mine = cpu_by_part(arcade.process.pid), time.process_time() - me
    await asyncio.gather(*tasks)
    iv = sorted(tally.intervals)
    q = lambda p: iv[int(p * (len(iv) - 1))] * 1000
    fps = tally.frames / tally.seconds
    cpu = {k: 100 * (after[k][0] - before.get(k, (0, 0))[0]) / wall / n for k in after}
    mem = {k: after[k][1] / 2**20 for k in after}
    print(f"N={n:3d} fps={fps:.2f} p50={q(.5):.2f} p99={q(.99):.2f} max={q(1):.1f} B/frame={tally.bytes/tally.frames:.0f} cpu/player%={sum(cpu.values()):.2f} {({k: round(v,2) for k,v in cpu.items()})} gen={100*mine/wall/n:.2f} mem={({k: round(v) for k,v in mem.items()})}")


if __name__ == "__main__":
    home = Path(tempfile.mkdtemp(prefix="bench"))
    with running_arcade(home, MAX_GAMES="100") as arcade:
        for n in map(int, sys.argv[1:]):
            uvloop.run(run(arcade, n, 12))
