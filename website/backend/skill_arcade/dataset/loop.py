"""An event loop in a thread of its own, for code that is not asynchronous."""

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from skill_arcade.errors import InvalidRequest

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for callers that wait. The thread never keeps the process from ending."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._pid = os.getpid()
        # A daemon: a script that forgets `close` must end all the same.
        self._thread = threading.Thread(target=self._loop.run_forever, name="dataset", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """True when nothing can be run any more, here: a forked child has no such thread."""
        return os.getpid() != self._pid or self._loop.is_closed()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for `work`, from any thread.

        Raises:
            InvalidRequest: the process has forked since, or this is closed.
        """
        if self.closed:
            work.close()
            raise InvalidRequest("This dataset is closed, or was opened before a fork: open it again, in each process.")
        waiting = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return waiting.result()
        except BaseException:
            waiting.cancel()
            raise

    def close(self) -> None:
        """Stop the loop and end the thread."""
        if self.closed:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
