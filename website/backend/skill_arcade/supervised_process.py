"""Supervises a child process: restarts it when it exits, and stops it together with the server."""

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import suppress

from skill_arcade.settings import Settings
from skill_arcade.spare_process import SpareProcess, take_spare_process

log = logging.getLogger(__name__)

RESTART_DELAY_SECONDS = 1.0
"""Delay before a restart."""


class SupervisedProcess:
    """Keeps one process running that calls `target(settings)`. SIGTERM asks it to finish."""

    def __init__(self, name: str, target: Callable[[Settings], None], settings: Settings) -> None:
        """`target` must be importable, because its name is sent to another process."""
        self._name, self._target, self._settings = name, target, settings
        self._process: SpareProcess | None = None
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
            process.send_signal(signal.SIGTERM)
            done, _ = await asyncio.wait({self._watch}, timeout=grace_seconds)
            if not done:
                log.warning("stop timed out, killing process=%s timeout_s=%.1f", self._name, grace_seconds)
                process.send_signal(signal.SIGKILL)
        await self._watch

    async def _keep_running(self) -> None:
        while not self._stopping.is_set():
            try:
                async with self._starting:
                    self._process = await asyncio.to_thread(self._start)
                error = f"exit code {await asyncio.to_thread(self._process.wait)}"
            except OSError as failure:  # no memory or no process is left
                error = str(failure)
            if not self._stopping.is_set():
                log.error("process exited, restarting process=%s error=%s", self._name, error)
                await asyncio.wait({asyncio.create_task(self._stopping.wait())}, timeout=RESTART_DELAY_SECONDS)

    def _start(self) -> SpareProcess:
        process = take_spare_process()
        with suppress(OSError):  # a process that has ended is noticed by whoever waits for it
            process.run(self._name, self._target, self._settings)
        return process
