"""Games start one after the other: a start takes a quarter of a second of a core, and who plays needs the cores too."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from skill_arcade.play.connections.game_connection import GameConnection
from skill_arcade.scheduling import request_short_slice

START_TIMEOUT_SECONDS = 2.0
"""After so long the next game may start, though this one is not ready: some environments take their time."""


class StartLimiter:
    """Hands out turns, in the order in which they are asked for; one core is left to those who play already."""

    def __init__(self, at_once: int | None = None) -> None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._semaphore = asyncio.Semaphore(at_once or max(1, cores - 1))
        self._starting: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[list[GameConnection]]:
        """Wait for a turn; it ends when the seat that is put into the list is ready, or with nothing in it, at once."""
        await self._semaphore.acquire()
        begun: list[GameConnection] = []
        try:
            yield begun
        finally:
            if begun:
                task = asyncio.create_task(self._watch(begun[0]))
                self._starting.add(task)
                task.add_done_callback(self._starting.discard)
            else:
                self._semaphore.release()

    async def _watch(self, game_connection: GameConnection) -> None:
        try:
            await asyncio.wait([game_connection.ready], timeout=START_TIMEOUT_SECONDS)
        finally:
            self._semaphore.release()
        await game_connection.ready
        if not game_connection.closed.done():
            request_short_slice(
                game_connection.slot.process.pid
            )  # from now on it steps; before, it only kept those who step waiting
