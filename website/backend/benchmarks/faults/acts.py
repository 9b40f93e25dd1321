"""What breaks inside: processes that are killed, files that are damaged, deliveries that are repeated."""

import asyncio
import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from skill_arcade.recording.journal import OPEN, SEALED, lock_episode
from tests.support.load import PlayerLoad
from tests.support.server import ServerUnderTest


async def kill_server(house: ServerUnderTest, crowd: PlayerLoad, rng: random.Random) -> None:
    """Kill -9, and a new server on the same home."""
    house.kill(house.server)
    await asyncio.to_thread(house.start)


async def kill_game(house: ServerUnderTest, crowd: PlayerLoad, rng: random.Random) -> None:
    house.kill(rng.choice(house.games()))


async def kill_delivery(house: ServerUnderTest, crowd: PlayerLoad, rng: random.Random) -> None:
    house.kill(house.uploader())


async def kill_postgres(house: ServerUnderTest, crowd: PlayerLoad, rng: random.Random) -> None:
    house.kill(house.postgres())


async def tear_tail(house: ServerUnderTest, crowd: PlayerLoad, rng: random.Random) -> None:
    """A game dies in the middle of a write: the beginning of a record is left behind."""
    with frozen_delivery(house) as _:
        victim = rng.choice(house.games())
        house.kill(victim)
        await asyncio.to_thread(victim.wait, 5)
        for path in house.files(OPEN):
            if not is_held(path.parent):
                torn = rng.randbytes(rng.randrange(1, 9))
                with path.open("ab") as file:
                    file.write(torn)


async def flip_bit(house: ServerUnderTest, crowd: PlayerLoad, rng: random.Random) -> None:
    """A bit changes in a sealed segment, before it is delivered."""
    with frozen_delivery(house):
        async with asyncio.timeout(20):
            while not house.files(SEALED):
                await asyncio.sleep(0.02)
        path = rng.choice(house.files(SEALED))
        data = bytearray(path.read_bytes())
        place = rng.randrange(len(data))
        data[place] ^= 1 << rng.randrange(8)
        path.write_bytes(data)


async def deliver_twice(house: ServerUnderTest, crowd: PlayerLoad, rng: random.Random) -> None:
    """Two delivery processes at once, and segments that come back after they were delivered."""
    kept: dict[Path, bytes] = {}
    code = (
        "from skill_arcade.uploader.process import run_delivery\n"
        "from skill_arcade.settings import read_settings\n"
        "run_delivery(read_settings())"
    )
    environment = {**os.environ, **house.settings, "SKILL_ARCADE_HOME": str(house.home)}
    other = await asyncio.create_subprocess_exec(
        shutil.which("python") or "python", "-c", code, env=environment, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + rng.uniform(2, 4)
    while time.monotonic() < end:
        for path in house.files(SEALED):
            with suppress(FileNotFoundError):
                kept.setdefault(path, path.read_bytes())
        await asyncio.sleep(0.01)
    for path, data in kept.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    other.send_signal(signal.SIGTERM)
    await other.wait()


class frozen_delivery:
    """Delivery stands still meanwhile (SIGSTOP)."""

    def __init__(self, house: ServerUnderTest) -> None:
        self._process = house.uploader()

    def __enter__(self) -> "frozen_delivery":
        self._process.suspend()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.resume()


def is_held(folder: Path) -> bool:
    """True while a game writes this episode."""
    lock = lock_episode(folder)
    if lock is None:
        return True
    os.close(lock)
    return False
