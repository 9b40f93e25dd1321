"""SIGTERM: games end and are sealed while their sockets are still open, and only then the server closes."""

import asyncio
import logging
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType

log = logging.getLogger(__name__)
SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def graceful_shutdown(drain: Callable[[], Awaitable[None]]) -> Iterator[None]:
    """While this is open, a signal to stop runs `drain` before it reaches the server that set its handler.

    Uvicorn closes all sockets the moment it is told to stop; players would not learn why, nor how it ended. A second
    signal goes through at once. Where no server has set a handler (tests, `uvicorn --reload`'s parent) nothing changes.
    """
    loop = asyncio.get_running_loop()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    servers = {
        number: handler for number, handler in before.items() if getattr(handler, "__name__", "") == "handle_exit"
    }
    tasks: list[asyncio.Task[None]] = []

    async def drain_then_pass_on(number: int) -> None:
        log.info("stopping: games end and are sealed first")
        try:
            await drain()
        finally:
            pass_on(number)

    def pass_on(number: int) -> None:
        handler = servers[signal.Signals(number)]
        if callable(handler):
            handler(number, None)

    def begin(number: int) -> None:
        if tasks:
            pass_on(number)
        else:
            tasks.append(loop.create_task(drain_then_pass_on(number), name="drain"))

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(begin, number)

    for number in servers:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in servers.items():
            signal.signal(number, handler)
