"""CPU that processes used, and how long they were runnable but waited for a core (/proc/PID/schedstat)."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CoreUsage:
    """Seconds that all threads of some processes ran on a core, and seconds that they waited for one."""

    running: float = 0.0
    waiting: float = 0.0

    def __sub__(self, before: "CoreUsage") -> "CoreUsage":
        return CoreUsage(self.running - before.running, self.waiting - before.waiting)

    def describe(self, seconds: float) -> str:
        """Return `running / waiting` in percent of a period of `seconds`."""
        return f"{100 * self.running / seconds:.0f} / {100 * self.waiting / seconds:.0f}"


def read_usage(pids: Iterable[int]) -> CoreUsage:
    """Return the usage of these processes so far. Processes and threads that have exited are left out."""
    running = waiting = 0
    for pid in pids:
        for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                on_core, queued, _ = path.read_text().split()
            except OSError:  # the thread exited meanwhile
                continue
            running, waiting = running + int(on_core), waiting + int(queued)
    return CoreUsage(running / 1e9, waiting / 1e9)


def pin_to_core(core: int) -> None:
    """Run this process, and the processes that it starts, on this core only."""
    os.sched_setaffinity(0, {core})
