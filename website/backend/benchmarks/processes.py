"""CPU and memory of a running arcade, by kind of process."""

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from skill_arcade.storage.database.postgres_server import PostgresServer
from tests.support.arcade import UPLOADER_PROCESS

SUPERVISED_KINDS = {"certifier": "certifier", UPLOADER_PROCESS: "uploader"}
"""Kind of a supervised process by its name."""
EXIT_ERRORS = (psutil.NoSuchProcess, psutil.ZombieProcess)
TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


class ProcessUsage(NamedTuple):
    """A process in /proc. Its pid and `started`, in clock ticks since boot, identify it."""

    pid: int
    parent: int
    name: str
    seconds: float
    started: int


class CpuMeter:
    """Adds up the CPU seconds of each kind of process.

    Frequent readings also count most of the CPU of short processes. A reading scans /proc in some milliseconds.
    """

    def __init__(self, server: int, home: Path) -> None:
        """Measure the server with this process id, and the embedded Postgres in its home folder."""
        self._server = server
        postmaster = PostgresServer(home / "postgres").find_postmaster()
        self._postmaster = None if postmaster is None else postmaster.pid
        self._seen: dict[tuple[int, int], float] = {}
        self.seconds: dict[str, float] = defaultdict(float)
        self.restart()

    def restart(self) -> None:
        """Start to count from zero."""
        self.read()
        self.seconds.clear()
        self.started = time.monotonic()

    def read(self) -> None:
        """Add the CPU since the last reading."""
        for kind, usage in self.processes():
            name = usage.pid, usage.started
            self.seconds[kind] += usage.seconds - self._seen.get(name, 0.0)
            self._seen[name] = usage.seconds

    def memory(self) -> tuple[dict[str, int], list[int]]:
        """Return bytes by kind (PSS, with a share of shared pages), and private bytes of each game process (USS)."""
        shares: dict[str, int] = defaultdict(int)
        private = []
        for kind, usage in self.processes():
            with suppress(*EXIT_ERRORS):
                info = psutil.Process(usage.pid).memory_full_info()
                shares[kind] += info.pss
                if kind == "games":
                    private.append(info.uss)
        return dict(shares), private

    def processes(self) -> Iterator[tuple[str, ProcessUsage]]:
        """Yield kind and usage of the server, games, uploader, certifier and Postgres."""
        by_pid = {usage.pid: usage for usage in read_all()}
        children: dict[int, list[ProcessUsage]] = defaultdict(list)
        for usage in by_pid.values():
            children[usage.parent].append(usage)

        def tree(kind: str, usage: ProcessUsage) -> Iterator[tuple[str, ProcessUsage]]:
            yield kind, usage
            for child in children[usage.pid]:
                yield from tree(kind, child)

        if (server := by_pid.get(self._server)) is not None:
            yield "server", server
            for child in children[self._server]:
                yield from tree(self._kind(child), child)
        if self._postmaster in by_pid:
            yield from tree("postgres", by_pid[self._postmaster])

    @staticmethod
    def _kind(child: ProcessUsage) -> str:
        return "games" if child.name == "fork-server" else SUPERVISED_KINDS.get(child.name, "server")


def read_all() -> Iterator[ProcessUsage]:
    """Yield all processes of the machine (proc(5))."""
    for folder in os.scandir("/proc"):
        if folder.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                text = Path(folder.path, "stat").read_text()
                name, rest = text[text.index("(") + 1 : text.rindex(")")], text[text.rindex(")") + 2 :].split()
                seconds = (int(rest[11]) + int(rest[12])) * TICK_SECONDS
                yield ProcessUsage(int(folder.name), int(rest[1]), name, seconds, int(rest[19]))
