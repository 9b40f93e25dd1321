"""A proxy on loopback that sends each connection to a random server, as a load balancer without affinity does."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.support.server import ServerUnderTest

CONNECT_SECONDS = 1.0


@dataclass
class RandomProxy:
    """Where the proxy listens. `chosen` has the index of the server by the client's port."""

    servers: Sequence[ServerUnderTest]
    rng: random.Random
    port: int = 0
    chosen: dict[int, int] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Base URL of the HTTP API."""
        return f"http://127.0.0.1:{self.port}"

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay a connection in a task that the end of the proxy cancels."""
        task = asyncio.create_task(self.relay(reader, writer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay a connection to a random server; to the next one if that one does not listen."""
        order = self.rng.sample(range(len(self.servers)), len(self.servers))
        for index in order:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.servers[index].port)
                break
            except (OSError, TimeoutError):
                continue
        else:
            writer.transport.abort()
            return
        self.chosen[writer.get_extra_info("peername")[1]] = index
        try:
            await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        finally:
            for one in (writer, far_writer):
                one.transport.abort()


@asynccontextmanager
async def random_proxy(servers: Sequence[ServerUnderTest], rng: random.Random) -> AsyncIterator[RandomProxy]:
    """Run a proxy in front of servers."""
    proxy = RandomProxy(servers, rng)
    listener = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = listener.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listener.close()
        for task in proxy.tasks:
            task.cancel()
        await asyncio.gather(*proxy.tasks, return_exceptions=True)
        await asyncio.sleep(0.1)  # for the transports to close


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the end of the stream or an error, then close the other side."""
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()
