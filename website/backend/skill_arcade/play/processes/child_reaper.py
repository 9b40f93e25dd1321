"""Keeps the exit status of game processes, and ends what their environments have left running.

It runs in the fork server, the parent of all game processes. As a subreaper (prctl(2)) that process inherits every
process that an environment has started and left, also one that has detached itself.
"""

import logging
import os
import signal
from collections import OrderedDict
from contextlib import suppress

from skill_arcade.child_processes import describe_exit_code, kill_descendants, list_children

log = logging.getLogger(__name__)

CLEAN_EXIT = "exit status 0"
MAX_KEPT_STATUSES = 1000
"""Exit statuses that are kept for the server to ask for; the oldest are dropped."""


class ChildReaper:
    """The game processes of this fork server, and how the last of them have ended."""

    def __init__(self) -> None:
        self._running: set[int] = set()
        self._statuses: OrderedDict[int, str] = OrderedDict()

    def add(self, pid: int) -> None:
        """Register a game process that was just forked."""
        self._running.add(pid)
        self._statuses.pop(pid, None)

    def find_status(self, pid: int) -> str | None:
        """Return how a game process has ended, as text; None while it runs or if it is unknown."""
        return self._statuses.get(pid)

    def reap(self) -> None:
        """Collect all children that have exited, and kill the orphans that game processes have left."""
        has_ended = False
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if pid in self._running:
                self._running.remove(pid)
                self._statuses[pid] = describe_exit_code(os.waitstatus_to_exitcode(status))
                has_ended = True
        while len(self._statuses) > MAX_KEPT_STATUSES:
            self._statuses.popitem(last=False)
        if has_ended:
            self._kill_orphans()

    def _kill_orphans(self) -> None:
        """Kill the children of this process that it has not forked itself: their game has ended."""
        for pid in list_children(os.getpid()):
            if pid not in self._running:
                kill_descendants(pid)
                log.warning("killed a process that an environment had left running pid=%d", pid)
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
