"""Child processes: finds and ends what a process has started, and says how one has ended (Linux)."""

import ctypes
import logging
import os
import resource
import signal
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """Become the parent of all orphans among this process's descendants (prctl(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        log.warning("cannot become a subreaper errno=%d", ctypes.get_errno())


def limit_memory(megabytes: int, pid: int = 0) -> None:
    """Limit the private memory of a process, 0 for this one, and of each process that it starts afterwards.

    Allocating more fails, in Python with a MemoryError.
    """
    _, hard_limit = resource.prlimit(pid, resource.RLIMIT_DATA)
    resource.prlimit(pid, resource.RLIMIT_DATA, (megabytes << 20, hard_limit))


def list_children(pid: int) -> list[int]:
    """Return the process ids of the children of a process; empty where the kernel does not list them."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return []


def kill_descendants(pid: int) -> None:
    """Kill all descendants of a process, but not the process itself."""
    for child in list_children(pid):
        kill_descendants(child)
        log.warning("killed a process that an environment had left running pid=%d", child)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def describe_exit_code(code: int) -> str:
    """Return an exit code, negative for a signal, as text."""
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
