"""Limits concurrent game starts. Starting a game uses about 250 ms of CPU, which would delay running games."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from skill_arcade.play.connections.game_connection import GameConnection
from skill_arcade.scheduling import request_short_slice

START_TIMEOUT_SECONDS = 2.0
"""Timeout after which the next game may start although this one is not ready; some environments load slowly."""


class StartLimiter:
    """A semaphore that grants slots in the order of the requests. One core is left to the running games."""

    def __init__(self, max_concurrent: int | None = None) -> None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._semaphore = asyncio.Semaphore(max_concurrent or max(1, cores - 1))
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[list[GameConnection]]:
        """Wait for a slot.

        It is held until the game that is put into the list is ready, or released at once if the list stays empty.
        """
        await self._semaphore.acquire()
        started: list[GameConnection] = []
        try:
            yield started
        finally:
            if started:
                task = asyncio.create_task(self._watch(started[0]))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                self._semaphore.release()

    async def _watch(self, game_connection: GameConnection) -> None:
        try:
            await asyncio.wait([game_connection.ready], timeout=START_TIMEOUT_SECONDS)
        finally:
            self._semaphore.release()
        await game_connection.ready
        if not game_connection.closed.done():
            # Only now: while it starts, a short slice would let it delay the games that are running.
            request_short_slice(game_connection.slot.process.pid)
