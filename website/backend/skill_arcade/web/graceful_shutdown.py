"""Graceful shutdown: on SIGTERM, games are ended and sealed before the server closes their connections."""

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
    """Within the block, run `drain` on a stop signal before the signal is passed on to the server.

    Uvicorn closes all connections as soon as it is told to stop, so players would not learn why their game ended. A
    second signal is passed on at once. Without a server's signal handler (in tests and in the parent of `uvicorn
    --reload`) this does nothing.
    """
    loop = asyncio.get_running_loop()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {signal_number: signal.getsignal(signal_number) for signal_number in SIGNALS}
    servers = {
        signal_number: handler
        for signal_number, handler in previous.items()
        if getattr(handler, "__name__", "") == "handle_exit"
    }
    tasks: list[asyncio.Task[None]] = []

    async def drain_then_forward(signal_number: int) -> None:
        log.info("shutting down, ending and sealing all games first")
        try:
            await drain()
        finally:
            forward(signal_number)

    def forward(signal_number: int) -> None:
        handler = servers[signal.Signals(signal_number)]
        if callable(handler):
            handler(signal_number, None)

    def begin(signal_number: int) -> None:
        if tasks:
            forward(signal_number)
        else:
            tasks.append(loop.create_task(drain_then_forward(signal_number), name="drain"))

    def handle(signal_number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(begin, signal_number)

    for signal_number in servers:
        signal.signal(signal_number, handle)
    try:
        yield
    finally:
        for signal_number, handler in servers.items():
            signal.signal(signal_number, handler)
