"""CPU and memory of a running arcade, by what its processes are for."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from skill_arcade.storage.database.cluster import Cluster

COMPANIONS = ("certifier", "delivery")
GONE = (psutil.NoSuchProcess, psutil.ZombieProcess)


class Meter:
    """Adds up the CPU of each kind of process, also of those that come and go, as long as it is read often."""

    def __init__(self, server: int, home: Path) -> None:
        """`server`: process id; `home`: the arcade's folder, where its embedded Postgres is found."""
        self._server = psutil.Process(server)
        self._postmaster = Cluster(home / "postgres").find_postmaster()
        self._seen: dict[tuple[int, float], float] = {}
        self.seconds: dict[str, float] = defaultdict(float)
        self.began = time.monotonic()
        self.read()
        self.seconds.clear()
        self.began = time.monotonic()

    def read(self) -> None:
        """Add what was used since the last reading."""
        for kind, process in self.processes():
            with suppress(*GONE):
                times = process.cpu_times()
                used, name = times.user + times.system, (process.pid, process.create_time())
                self.seconds[kind] += used - self._seen.get(name, 0.0)
                self._seen[name] = used

    def memory(self) -> tuple[dict[str, int], list[int]]:
        """Bytes by kind with shared pages divided among their users (PSS), and each game's private bytes (USS)."""
        shares: dict[str, int] = defaultdict(int)
        private = []
        for kind, process in self.processes():
            with suppress(*GONE):
                info = process.memory_full_info()
                shares[kind] += info.pss
                if kind == "games":
                    private.append(info.uss)
        return dict(shares), private

    def processes(self) -> Iterator[tuple[str, psutil.Process]]:
        """Kind and process: server, games, delivery, certifier, Postgres."""
        yield "server", self._server
        for child in sorted(self._server.children(), key=lambda process: process.create_time()):
            with suppress(*GONE):
                name = read_name(child.pid)
                kind = (
                    name if name in COMPANIONS else "games" if "forkserver" in " ".join(child.cmdline()) else "server"
                )
                yield kind, child
                yield from ((kind, below) for below in child.children(recursive=True))
        if self._postmaster is not None:
            postgres = psutil.Process(self._postmaster.pid)
            yield "postgres", postgres
            yield from (("postgres", below) for below in postgres.children(recursive=True))


def read_name(pid: int) -> str:
    """What a process calls itself (Linux)."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except FileNotFoundError:
        return ""
