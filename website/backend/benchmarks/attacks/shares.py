"""Who had the cores meanwhile: CPU, and how long a process that could run waited for one (/proc/PID/schedstat)."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Share:
    """Seconds on a core, and seconds spent waiting for one, of some processes with all their threads."""

    ran: float = 0.0
    waited: float = 0.0

    def __sub__(self, before: "Share") -> "Share":
        return Share(self.ran - before.ran, self.waited - before.waited)

    def of(self, seconds: float) -> str:
        """`ran / waited`, in percent of this time."""
        return f"{100 * self.ran / seconds:.0f} / {100 * self.waited / seconds:.0f}"


def share(pids: Iterable[int]) -> Share:
    """What these processes have had so far; one that is gone, or a thread, counts nothing."""
    ran = waited = 0
    for pid in pids:
        for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                ours, queued, _ = path.read_text().split()
            except OSError:  # it ended between two looks
                continue
            ran, waited = ran + int(ours), waited + int(queued)
    return Share(ran / 1e9, waited / 1e9)


def stand_aside(core: int) -> None:
    """Leave all cores but this one to the others."""
    os.sched_setaffinity(0, {core})
