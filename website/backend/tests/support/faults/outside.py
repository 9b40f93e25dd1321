"""Faults outside of the arcade: the database, the object store, the disk, the clock."""

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

from skill_arcade.storage.database.embedded import EmbeddedPostgres
from skill_arcade.storage.database.engine import migrate_sync
from tests.support.cloud.bucket import Bucket
from tests.support.cloud.storage import Fault, Held, StorageServer
from tests.support.database import temporary_home
from tests.support.faults.acts import suspend_uploader
from tests.support.faults.runs import Result, play_and_break, running_server
from tests.support.load import PlayerLoad
from tests.support.server import ServerUnderTest


async def stop_postgres(result: Result, rng: random.Random, runs: int, seconds: float) -> None:
    """Stop the Postgres of an arcade for `seconds`; its games must continue meanwhile."""
    with temporary_home() as folder_path:
        postgres = await asyncio.to_thread(EmbeddedPostgres, folder_path)
        url = postgres.server.url()
        await asyncio.to_thread(migrate_sync, url)

        async def stop_and_restart(server: ServerUnderTest, load: PlayerLoad, rng: random.Random) -> None:
            await asyncio.to_thread(postgres.server.stop)
            before = load.n_frames
            await asyncio.sleep(seconds)
            assert load.n_frames > before + 30 * seconds, "the games did not go on"
            await asyncio.to_thread(postgres.ensure_started)

        async with running_server(DATABASE_URL=url.render_as_string(False)) as server:
            await play_and_break(server, stop_and_restart, result, rng, runs)
        await asyncio.to_thread(postgres.close)


class EndlessFaults(deque[Fault]):
    """A queue that makes a new fault for each request, because each `Held` needs its own event."""

    def __init__(self, make: Callable[[], Fault]) -> None:
        super().__init__([make()])
        self._make = make

    def popleft(self) -> Fault:
        return self._make()


def failing_storage(make: Callable[[], Fault]) -> Callable[[Result, random.Random, int, float], Awaitable[None]]:
    """Return runs in which the object store answers each upload with such a fault for `seconds`."""

    async def run(result: Result, rng: random.Random, runs: int, seconds: float) -> None:
        storage = StorageServer(Bucket("arcade"))
        threading.Thread(target=storage.serve_forever, daemon=True).start()

        async def fail(server: ServerUnderTest, load: PlayerLoad, rng: random.Random) -> None:
            storage.faults["upload"] = EndlessFaults(make)
            await asyncio.sleep(seconds)
            storage.faults["upload"] = deque()

        os.environ["STORAGE_EMULATOR_HOST"] = storage.address
        try:
            async with running_server(GCP_BUCKET_NAME="arcade", STORAGE_EMULATOR_HOST=storage.address) as server:
                await play_and_break(server, fail, result, rng, runs)
        finally:
            del os.environ["STORAGE_EMULATOR_HOST"]
            storage.shutdown()

    return run


def delay_then_disconnect(seconds: float) -> Held:
    """Return a fault that closes the connection after `seconds` without a response."""
    event = threading.Event()
    threading.Timer(seconds, event.set).start()
    return Held(event)


async def fill_disk(result: Result, rng: random.Random, runs: int, seconds: float) -> None:
    """Fill the file system of the journal (a tmpfs of 24 MB) to the last byte. It needs root, because it mounts."""
    with temporary_home() as home:
        journal = home / "journal"
        journal.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(journal)], check=True)
        server = ServerUnderTest(home, {"JOURNAL_MIN_FREE_MB": "4"})

        async def fill(server: ServerUnderTest, load: PlayerLoad, rng: random.Random) -> None:
            filler = journal / "filler"
            with filler.open("wb", buffering=0) as file, suppress(OSError):
                while file.write(bytes(1024)):
                    pass
            with suspend_uploader(server):
                async with asyncio.timeout(60):
                    while 4031 not in load.closes:  # CloseCode.NO_ROOM: games end, and new ones are rejected
                        await asyncio.sleep(0.02)
                        with filler.open("ab", buffering=0) as file, suppress(OSError):
                            while file.write(bytes(64)):
                                pass
                await asyncio.sleep(1)
            filler.unlink()
            load.closes.clear()

        try:
            await asyncio.to_thread(server.start)
            try:
                await play_and_break(server, fill, result, rng, runs)
            finally:
                await asyncio.to_thread(server.stop)
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


def build_clock_shim(folder: Path) -> dict[str, str]:
    """Build the library that shifts the wall clock, which needs a C compiler. Return the environment that preloads it.

    The file `offset` in `folder` has the number of seconds.
    """
    (folder / "shim.c").write_text(SHIM)
    command = ["cc", "-shared", "-fPIC", "-o", str(folder / "shim.so"), str(folder / "shim.c"), "-ldl"]
    subprocess.run(command, check=True)
    (folder / "offset").write_text("0")
    folder.chmod(0o755)
    return {"LD_PRELOAD": str(folder / "shim.so"), "CLOCK_OFFSET": str(folder / "offset")}


async def jump_clock(result: Result, rng: random.Random, runs: int, seconds: float) -> None:
    """Set the wall clock of all processes forward or back by up to a day.

    A library that is preloaded before libc shifts it, which needs a C compiler.
    """
    with tempfile.TemporaryDirectory() as folder:
        folder_path = Path(folder)
        shim = build_clock_shim(folder_path)

        async def jump(server: ServerUnderTest, load: PlayerLoad, rng: random.Random) -> None:
            (folder_path / "offset").write_text(str(rng.choice((-1, 1)) * rng.randrange(60, 86_400)))

        async with running_server(**shim) as server:
            await play_and_break(server, jump, result, rng, runs)
