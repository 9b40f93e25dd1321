"""Faults inside the arcade: killed processes, damaged files, repeated uploads."""

import asyncio
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from skill_arcade.recording.journal import OPEN, SEALED, lock_episode
from tests.support.load import PlayerLoad
from tests.support.server import ServerUnderTest


async def kill_server(server: ServerUnderTest, load: PlayerLoad, rng: random.Random) -> None:
    """Kill the server with SIGKILL, and start another one on the same home folder."""
    server.kill(server.server)
    await asyncio.to_thread(server.start)


async def kill_game(server: ServerUnderTest, load: PlayerLoad, rng: random.Random) -> None:
    server.kill(rng.choice(server.games()))


async def kill_uploader(server: ServerUnderTest, load: PlayerLoad, rng: random.Random) -> None:
    server.kill(server.uploader())


async def kill_postgres(server: ServerUnderTest, load: PlayerLoad, rng: random.Random) -> None:
    server.kill(server.postgres())


async def tear_tail(server: ServerUnderTest, load: PlayerLoad, rng: random.Random) -> None:
    """Kill a game, and append the beginning of a record to its journal, as an interrupted write does."""
    with suspend_uploader(server):
        game = rng.choice(server.games())
        server.kill(game)
        await asyncio.to_thread(game.wait, 5)
        for path in server.files(OPEN):
            if not is_locked(path.parent):
                fragment = rng.randbytes(rng.randrange(1, 9))
                with path.open("ab") as file:
                    file.write(fragment)


async def flip_bit(server: ServerUnderTest, load: PlayerLoad, rng: random.Random) -> None:
    """Flip a bit of a sealed segment before it is uploaded."""
    with suspend_uploader(server):
        async with asyncio.timeout(20):
            while not server.files(SEALED):
                await asyncio.sleep(0.02)
        path = rng.choice(server.files(SEALED))
        data = bytearray(path.read_bytes())
        offset = rng.randrange(len(data))
        data[offset] ^= 1 << rng.randrange(8)
        path.write_bytes(data)


async def upload_twice(server: ServerUnderTest, load: PlayerLoad, rng: random.Random) -> None:
    """Run a second uploader for 2 to 4 s, and put segments back into the journal after their upload."""
    copies: dict[Path, bytes] = {}
    code = (
        "from skill_arcade.uploader.process import run_uploader\n"
        "from skill_arcade.settings import read_settings\n"
        "run_uploader(read_settings())"
    )
    environment = {**os.environ, **server.settings, "SKILL_ARCADE_HOME": str(server.home)}
    second = await asyncio.create_subprocess_exec(
        shutil.which("python") or "python", "-c", code, env=environment, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + rng.uniform(2, 4)
    while time.monotonic() < end:
        for path in server.files(SEALED):
            with suppress(FileNotFoundError):
                copies.setdefault(path, path.read_bytes())
        await asyncio.sleep(0.01)
    for path, data in copies.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    second.send_signal(signal.SIGTERM)
    await second.wait()


@contextmanager
def suspend_uploader(server: ServerUnderTest) -> Iterator[None]:
    """Suspend the uploader (SIGSTOP), and resume it at the end."""
    process = server.uploader()
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def is_locked(folder: Path) -> bool:
    """Whether a game is writing the episode of this folder."""
    lock = lock_episode(folder)
    if lock is None:
        return True
    os.close(lock)
    return False
