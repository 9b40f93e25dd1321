"""A TCP proxy that adds latency, jitter and the stalls that packet loss causes."""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

STALL_SECONDS = 0.2
"""Stall after a lost packet: the minimum retransmission timeout of Linux."""


@dataclass(frozen=True, slots=True)
class NetworkConditions:
    """One-way delays in milliseconds; `jitter_ms` is the mean of an exponential added to them, `loss` the share of
    chunks.
    """

    up_ms: float = 0.0
    down_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0

    def describe(self) -> str:
        """Return a short description."""
        text = f"{self.up_ms:g} + {self.down_ms:g} ms"
        text += f", jitter {self.jitter_ms:g} ms" if self.jitter_ms else ""
        return text + (f", {self.loss:.0%} lost" if self.loss else "")


@asynccontextmanager
async def delaying_proxy(network: NetworkConditions, port: int, seed: int = 1) -> AsyncIterator[int]:
    """Run a proxy on loopback in front of `port`; yield its own port."""
    rng, loop, pumps = random.Random(seed), asyncio.get_running_loop(), set[asyncio.Task[None]]()
    writers: list[asyncio.StreamWriter] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_ms: float) -> None:
        due, waiting = 0.0, deque[Callable[[], None]]()

        def forward_next() -> None:
            waiting.popleft()()  # timers that are due at once may fire in any order, bytes must not

        with suppress(ConnectionError):
            while data := await reader.read(65536):
                wait = (delay_ms + (rng.expovariate(1 / network.jitter_ms) if network.jitter_ms else 0)) / 1000
                wait += STALL_SECONDS if rng.random() < network.loss else 0
                due = max(due, loop.time() + wait)  # in order: bytes after a stall wait too
                waiting.append(partial(writer.write, data))
                loop.call_at(due, forward_next)
        waiting.append(writer.close)
        loop.call_at(max(due, loop.time() + delay_ms / 1000), forward_next)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", port)
        writers.extend((writer, upstream_writer))
        for task in (pump(reader, upstream_writer, network.up_ms), pump(upstream_reader, writer, network.down_ms)):
            pumps.add(asyncio.create_task(task))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        if pumps:
            await asyncio.wait(pumps, timeout=5)
        for writer in writers:  # otherwise pending writes would outlive the loop
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)
