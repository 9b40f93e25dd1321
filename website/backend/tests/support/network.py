"""A network between a page and the server: it delays, jitters, and loses as TCP shows it: a stall, then all at once."""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

STALL_SECONDS = 0.2
"""What a lost packet costs: Linux's least time before it sends again."""


@dataclass(frozen=True, slots=True)
class NetworkConditions:
    """Delays one way in milliseconds; `jitter_ms`: mean of an exponential on top; `loss`: share of the chunks."""

    up_ms: float = 0.0
    down_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0

    def describe(self) -> str:
        """In a few words."""
        told = f"{self.up_ms:g} + {self.down_ms:g} ms"
        told += f", jitter {self.jitter_ms:g} ms" if self.jitter_ms else ""
        return told + (f", {self.loss:.0%} lost" if self.loss else "")


@asynccontextmanager
async def delaying_proxy(network: NetworkConditions, port: int, seed: int = 1) -> AsyncIterator[int]:
    """A proxy on loopback in front of this port; yields its own port."""
    rng, loop, pumps = random.Random(seed), asyncio.get_running_loop(), set[asyncio.Task[None]]()
    writers: list[asyncio.StreamWriter] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_ms: float) -> None:
        due, waiting = 0.0, deque[Callable[[], None]]()

        def let_through() -> None:
            waiting.popleft()()  # timers that are due at once may come in any order; bytes may not

        with suppress(ConnectionError):
            while data := await reader.read(65536):
                wait = (delay_ms + (rng.expovariate(1 / network.jitter_ms) if network.jitter_ms else 0)) / 1000
                wait += STALL_SECONDS if rng.random() < network.loss else 0
                due = max(due, loop.time() + wait)  # in order: what comes behind a stall waits too
                waiting.append(partial(writer.write, data))
                loop.call_at(due, let_through)
        waiting.append(writer.close)
        loop.call_at(max(due, loop.time() + delay_ms / 1000), let_through)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        writers.extend((writer, there_writer))
        for task in (pump(reader, there_writer, network.up_ms), pump(there_reader, writer, network.down_ms)):
            pumps.add(asyncio.create_task(task))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        if pumps:
            await asyncio.wait(pumps, timeout=5)
        for writer in writers:  # what is still on its way would outlive the loop
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)
