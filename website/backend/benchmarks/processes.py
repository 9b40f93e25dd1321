"""CPU and memory of a running arcade, by what its processes are for."""

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from skill_arcade.storage.database.postgres_server import PostgresServer

COMPANIONS = ("certifier", "delivery")
GONE = (psutil.NoSuchProcess, psutil.ZombieProcess)
TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


class Use(NamedTuple):
    """A process as the kernel tells of it. `began`, in ticks since the machine's start, with the pid names it."""

    pid: int
    parent: int
    name: str
    seconds: float
    began: int


class Meter:
    """Adds up the CPU of each kind of process, also of those that come and go, as long as it is read often.

    One look through /proc a reading, some milliseconds: it often runs in the process that measures.
    """

    def __init__(self, server: int, home: Path) -> None:
        """`server`: process id; `home`: the arcade's folder, where its embedded Postgres is found."""
        self._server = server
        postmaster = PostgresServer(home / "postgres").find_postmaster()
        self._postmaster = None if postmaster is None else postmaster.pid
        self._seen: dict[tuple[int, int], float] = {}
        self.seconds: dict[str, float] = defaultdict(float)
        self.restart()

    def restart(self) -> None:
        """Count from now on."""
        self.read()
        self.seconds.clear()
        self.began = time.monotonic()

    def read(self) -> None:
        """Add what was used since the last reading."""
        for kind, use in self.processes():
            name = use.pid, use.began
            self.seconds[kind] += use.seconds - self._seen.get(name, 0.0)
            self._seen[name] = use.seconds

    def memory(self) -> tuple[dict[str, int], list[int]]:
        """Bytes by kind with shared pages divided among their users (PSS), and each game's private bytes (USS)."""
        shares: dict[str, int] = defaultdict(int)
        private = []
        for kind, use in self.processes():
            with suppress(*GONE):
                info = psutil.Process(use.pid).memory_full_info()
                shares[kind] += info.pss
                if kind == "games":
                    private.append(info.uss)
        return dict(shares), private

    def processes(self) -> Iterator[tuple[str, Use]]:
        """Kind and process: server, games, delivery, certifier, Postgres."""
        found = {use.pid: use for use in read_all()}
        below: dict[int, list[Use]] = defaultdict(list)
        for use in found.values():
            below[use.parent].append(use)

        def tree(kind: str, use: Use) -> Iterator[tuple[str, Use]]:
            yield kind, use
            for child in below[use.pid]:
                yield from tree(kind, child)

        if (server := found.get(self._server)) is not None:
            yield "server", server
            for child in below[self._server]:
                yield from tree(self._kind(child), child)
        if self._postmaster in found:
            yield from tree("postgres", found[self._postmaster])

    @staticmethod
    def _kind(child: Use) -> str:
        if child.name in COMPANIONS:
            return child.name
        return "games" if child.name == "nursery" else "server"


def read_all() -> Iterator[Use]:
    """Every process there is (Linux, proc(5))."""
    for folder in os.scandir("/proc"):
        if folder.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                text = Path(folder.path, "stat").read_text()
                name, rest = text[text.index("(") + 1 : text.rindex(")")], text[text.rindex(")") + 2 :].split()
                seconds = (int(rest[11]) + int(rest[12])) * TICK_SECONDS
                yield Use(int(folder.name), int(rest[1]), name, seconds, int(rest[19]))
