"""Runs an event loop in a thread, for synchronous callers."""

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from skill_arcade.errors import InvalidRequest

T = TypeVar("T")


class LoopThread:
    """An event loop in a daemon thread, which never prevents the process from exiting."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._pid = os.getpid()
        # A daemon thread, so that a script that does not call `close` exits.
        self._thread = threading.Thread(target=self._loop.run_forever, name="dataset", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """Whether the loop is closed, or was opened before this process was forked."""
        return os.getpid() != self._pid or self._loop.is_closed()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` in the loop and return its result. May be called from any thread.

        Raises:
            InvalidRequest: the loop is closed, or the process was forked after it was opened.
        """
        if self.closed:
            work.close()
            raise InvalidRequest("The dataset is closed or was opened before a fork: open it again in each process.")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Stop the loop and join the thread."""
        if self.closed:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
