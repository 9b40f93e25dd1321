"""Games start one after the other: a start takes a quarter of a second of a core, and who plays needs the cores too."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from skill_arcade.play.seat import Seat
from skill_arcade.urgency import hurry

START_SECONDS = 2.0
"""After so long the next game may start, though this one is not ready: some environments take their time."""


class Starts:
    """Hands out turns, in the order in which they are asked for; one core is left to those who play already."""

    def __init__(self, at_once: int | None = None) -> None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._turns = asyncio.Semaphore(at_once or max(1, cores - 1))
        self._starting: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[list[Seat]]:
        """Wait for a turn; it ends when the seat that is put into the list is ready, or with nothing in it, at once."""
        await self._turns.acquire()
        begun: list[Seat] = []
        try:
            yield begun
        finally:
            if begun:
                task = asyncio.create_task(self._watch(begun[0]))
                self._starting.add(task)
                task.add_done_callback(self._starting.discard)
            else:
                self._turns.release()

    async def _watch(self, seat: Seat) -> None:
        try:
            await asyncio.wait([seat.ready], timeout=START_SECONDS)
        finally:
            self._turns.release()
        await seat.ready
        if not seat.gone.done():
            hurry(seat.place.process.pid)  # from now on it steps; before, it only kept those who step waiting
