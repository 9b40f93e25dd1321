"""The queue of outgoing messages of one client: messages are written at once, and none overtakes another."""

import asyncio

import pytest

from skill_arcade.play.connections.game_connection import ClientQueue
from skill_arcade.wire.close_codes import CloseCode

pytestmark = pytest.mark.anyio


class Client:
    """Takes messages at once while `accepts` is true, and those of the queue after one turn of the event loop."""

    def __init__(self) -> None:
        self.queue, self.accepts = ClientQueue(), True
        self.received: list[str | bytes] = []
        self.n_written_at_once = 0
        self.queue.write_now = self.write_now

    def write_now(self, message: str | bytes) -> bool:
        if self.accepts:
            self.received.append(message)
            self.n_written_at_once += 1
        return self.accepts

    async def relay(self) -> None:
        while (message := await self.queue.get()) is not None:
            await asyncio.sleep(0)
            self.received.append(message)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_client_queue_with_waiting_relay_writes_at_once() -> None:
    client = Client()
    relay = asyncio.create_task(client.relay())
    await settle()
    client.queue.put(b"1")
    client.queue.put("2")
    assert client.received == [b"1", "2"]
    client.queue.close(CloseCode.NORMAL, "")
    await relay
    assert client.received == [b"1", "2"]


async def test_client_queue_without_relay_writes_nothing_at_once() -> None:
    client = Client()
    client.queue.put(b"1")
    assert client.received == []
    assert await client.queue.get() == b"1"
    client.queue.put(b"2")  # the first one is still being sent
    assert client.received == []
    assert await client.queue.get() == b"2"


async def test_client_queue_refused_message_is_not_overtaken() -> None:
    client = Client()
    relay = asyncio.create_task(client.relay())
    await settle()
    client.accepts = False
    client.queue.put(b"1")
    client.accepts = True
    client.queue.put(b"2")  # before the relay has taken the first one
    await asyncio.sleep(0)
    client.queue.put(b"3")  # while the relay sends
    await settle()
    client.queue.put(b"4")
    assert client.received == [b"1", b"2", b"3", b"4"]
    assert client.n_written_at_once == 1
    client.queue.close(CloseCode.NORMAL, "")
    await relay


async def test_client_queue_closed_or_left_writes_nothing_at_once() -> None:
    client = Client()
    relay = asyncio.create_task(client.relay())
    await settle()
    relay.cancel()
    await settle()
    client.queue.put(b"1")
    client.queue.close(CloseCode.NORMAL, "")
    client.queue.put(b"2")
    assert client.received == []
    await client.relay()
    assert client.received == [b"1"]
