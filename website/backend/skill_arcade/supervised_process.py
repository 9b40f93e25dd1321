"""Supervises a child process: restarts it when it exits, and stops it together with the server."""

import asyncio
import logging
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess

from skill_arcade.settings import Settings
from skill_arcade.telemetry import name_process

log = logging.getLogger(__name__)

RESTART_DELAY_SECONDS = 1.0
"""Delay before a restart."""
ORPHAN_GRACE_SECONDS = 20.0
"""Grace period for a child whose parent has died. After that it is killed; the next server starts a new one."""


class SupervisedProcess:
    """Keeps one process running that calls `target(settings)`. SIGTERM asks it to finish."""

    def __init__(self, name: str, target: Callable[[Settings], None], settings: Settings) -> None:
        """`target` must be importable, because it runs in a new interpreter."""
        self._name, self._target, self._settings = name, target, settings
        self._context = multiprocessing.get_context("spawn")
        self._process: BaseProcess | None = None
        self._watch: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        # A process that is being started cannot be terminated yet, so `stop` waits for this lock.
        self._starting = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Process id, or None before the first start."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Start the process, and restart it whenever it exits."""
        self._watch = asyncio.create_task(self._keep_running(), name=self._name)

    async def stop(self, grace_seconds: float = 8.0) -> None:
        """Ask the process to finish, and kill it after the grace period."""
        self._stopping.set()
        if self._watch is None:
            return
        async with self._starting:
            process = self._process
        if process is not None:
            process.terminate()
            done, _ = await asyncio.wait({self._watch}, timeout=grace_seconds)
            if not done:
                log.warning("stop timed out, killing process=%s timeout_s=%.1f", self._name, grace_seconds)
                process.kill()
        await self._watch

    async def _keep_running(self) -> None:
        while not self._stopping.is_set():
            async with self._starting:
                self._process = self._context.Process(
                    target=_child_main, args=(self._name, self._target, self._settings), name=self._name
                )
                await asyncio.to_thread(self._process.start)
            await asyncio.to_thread(self._process.join)
            if not self._stopping.is_set():
                log.error("process exited, restarting process=%s exit_code=%s", self._name, self._process.exitcode)
                await asyncio.wait({asyncio.create_task(self._stopping.wait())}, timeout=RESTART_DELAY_SECONDS)


def _child_main(name: str, target: Callable[[Settings], None], settings: Settings) -> None:
    """Run the target, and ask this process to finish if the server dies in any way."""
    name_process(name)
    threading.Thread(target=_exit_when_parent_dies, name="exit-when-parent-dies", daemon=True).start()
    target(settings)


def _exit_when_parent_dies() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(ORPHAN_GRACE_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)
