"""What breaks outside: the database, the object store, the disk, the clock."""

import asyncio
import os
import random
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from benchmarks.faults.acts import frozen_delivery
from benchmarks.faults.runs import Result, play_and_break, running
from skill_arcade.storage.database.embedded import EmbeddedPostgres
from skill_arcade.storage.database.engine import migrate_sync
from tests.conftest import temporary_home
from tests.support.cloud.bucket import Bucket
from tests.support.cloud.storage import Fault, Held, StorageServer
from tests.support.load import PlayerLoad
from tests.support.server import ServerUnderTest


async def postgres_away(result: Result, rng: random.Random, runs: int, seconds: float) -> None:
    """Another Postgres, which is stopped for a while; games go on meanwhile."""
    with temporary_home() as place:
        server = await asyncio.to_thread(EmbeddedPostgres, place)
        url = server.server.url()
        await asyncio.to_thread(migrate_sync, url)

        async def away(house: ServerUnderTest, crowd: PlayerLoad, rng: random.Random) -> None:
            await asyncio.to_thread(server.server.stop)
            before = crowd.n_frames
            await asyncio.sleep(seconds)
            assert crowd.n_frames > before + 30 * seconds, "the games did not go on"
            await asyncio.to_thread(server.ensure_started)

        async with running(DATABASE_URL=url.render_as_string(False)) as house:
            await play_and_break(house, away, result, rng, runs)
        await asyncio.to_thread(server.close)


class Endless(deque[Fault]):
    """A fault for every request, made when it comes: one that waits has a thread of its own."""

    def __init__(self, make: Callable[[], Fault]) -> None:
        super().__init__([make()])
        self._make = make

    def popleft(self) -> Fault:
        """The next; there is always another."""
        return self._make()


def store_that(make: Callable[[], Fault]) -> Callable[[Result, random.Random, int, float], Awaitable[None]]:
    """Runs with a bucket whose server answers every upload like this for a while."""

    async def run(result: Result, rng: random.Random, runs: int, seconds: float) -> None:
        server = StorageServer(Bucket("arcade"))
        threading.Thread(target=server.serve_forever, daemon=True).start()

        async def fail(house: ServerUnderTest, crowd: PlayerLoad, rng: random.Random) -> None:
            server.faults["upload"] = Endless(make)
            await asyncio.sleep(seconds)
            server.faults["upload"] = deque()

        os.environ["STORAGE_EMULATOR_HOST"] = server.address
        try:
            async with running(GCP_BUCKET_NAME="arcade", STORAGE_EMULATOR_HOST=server.address) as house:
                await play_and_break(house, fail, result, rng, runs)
        finally:
            del os.environ["STORAGE_EMULATOR_HOST"]
            server.shutdown()

    return run


def held(seconds: float) -> Held:
    """An answer that comes this late, and is none."""
    event = threading.Event()
    threading.Timer(seconds, event.set).start()
    return Held(event)


async def full_disk(result: Result, rng: random.Random, runs: int, seconds: float) -> None:
    """The journal on a small file system of its own, which somebody fills to the last byte. Needs root (mount)."""
    with temporary_home() as home:
        journal = home / "journal"
        journal.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(journal)], check=True)
        house = ServerUnderTest(home, {"JOURNAL_MIN_FREE_MB": "4"})

        async def fill(house: ServerUnderTest, crowd: PlayerLoad, rng: random.Random) -> None:
            filler = journal / "filler"
            with filler.open("wb", buffering=0) as file, suppress(OSError):
                while file.write(bytes(1024)):
                    pass
            with frozen_delivery(house):
                async with asyncio.timeout(60):
                    while 4031 not in crowd.closes:  # NO_ROOM: games end, and new ones are refused
                        await asyncio.sleep(0.02)
                        with filler.open("ab", buffering=0) as file, suppress(OSError):
                            while file.write(bytes(64)):
                                pass
                await asyncio.sleep(1)
            filler.unlink()
            crowd.closes.clear()

        try:
            await asyncio.to_thread(house.start)
            try:
                await play_and_break(house, fill, result, rng, runs)
            finally:
                await asyncio.to_thread(house.stop)
        finally:
            subprocess.run(["umount", "-l", str(journal)], check=True)


SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static long offset(void) {
  char text[32] = {0};
  int file = open(getenv("CLOCK_OFFSET"), O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  if (read(file, text, 31) < 0) text[0] = 0;
  close(file);
  return atol(text);
}
int clock_gettime(clockid_t id, struct timespec *at) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(id, at);
  if (id == CLOCK_REALTIME) at->tv_sec += offset();
  return result;
}
"""


async def clock_jumps(result: Result, rng: random.Random, runs: int, seconds: float) -> None:
    """The wall clock of every process jumps by up to a day, either way (a shim before libc; needs a C compiler)."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "shim.c").write_text(SHIM)
        command = ["cc", "-shared", "-fPIC", "-o", str(place / "shim.so"), str(place / "shim.c"), "-ldl"]
        subprocess.run(command, check=True)
        (place / "offset").write_text("0")
        place.chmod(0o755)

        async def jump(house: ServerUnderTest, crowd: PlayerLoad, rng: random.Random) -> None:
            (place / "offset").write_text(str(rng.choice((-1, 1)) * rng.randrange(60, 86_400)))

        async with running(LD_PRELOAD=str(place / "shim.so"), CLOCK_OFFSET=str(place / "offset")) as house:
            await play_and_break(house, jump, result, rng, runs)
