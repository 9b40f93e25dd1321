"""A process of ours that runs beside the server, and is started again when it dies."""

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

RESTART_SECONDS = 1.0
ORPHAN_GRACE_SECONDS = 20.0
"""How long one may take to finish whose server is gone, and perhaps its database: the next server brings its own."""


class SupervisedProcess:
    """Keeps one process running `target(settings)`. SIGTERM asks it to finish."""

    def __init__(self, name: str, target: Callable[[Settings], None], settings: Settings) -> None:
        """`target` must be importable: it runs in a fresh interpreter."""
        self._name, self._target, self._settings = name, target, settings
        self._context = multiprocessing.get_context("spawn")
        self._process: BaseProcess | None = None
        self._watch: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        # A process that is just being started can't be told to end yet: who stops waits for that.
        self._starting = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Process id, while it runs."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Start it, and start it again whenever it dies."""
        self._watch = asyncio.create_task(self._keep_running(), name=self._name)

    async def stop(self, grace_seconds: float = 8.0) -> None:
        """Ask it to finish, within the grace period; then end it."""
        self._stopping.set()
        if self._watch is None:
            return
        async with self._starting:
            process = self._process
        if process is not None:
            process.terminate()
            done, _ = await asyncio.wait({self._watch}, timeout=grace_seconds)
            if not done:
                log.warning("%s is not done after %.0f s and is ended", self._name, grace_seconds)
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
                log.error("%s ended with code %s; it starts again", self._name, self._process.exitcode)
                await asyncio.wait({asyncio.create_task(self._stopping.wait())}, timeout=RESTART_SECONDS)


def _child_main(name: str, target: Callable[[Settings], None], settings: Settings) -> None:
    """Run the target; when the server is gone, however it went, ask this process to finish too."""
    name_process(name)
    threading.Thread(target=_exit_when_parent_dies, name="finish-with-parent", daemon=True).start()
    target(settings)


def _exit_when_parent_dies() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(ORPHAN_GRACE_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)
