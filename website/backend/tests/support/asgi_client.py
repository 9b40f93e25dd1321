"""A WebSocket client that calls the ASGI application directly, without a network."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message

from tests.web.conftest import Visitor

HELLO = {
    "type": "hello",
    "protocol": 1,
    "at": 1.0,
    "time_origin": 0,
    "browser": "test",
    "screen": [800, 600],
    "pixel_ratio": 1,
    "refresh_hz": 60,
    "isolated": True,
}


class Line:
    """One connection. `received` are the text messages so far, `packets` the binary ones.

    `closed` resolves to code and reason.
    """

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.packets: list[bytes] = []
        self.closed: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        self._message_arrived = asyncio.Event()
        self._incoming.put_nowait({"type": "websocket.connect"})

    def say(self, message: dict[str, Any] | str) -> None:
        """Send a message."""
        text = message if isinstance(message, str) else json.dumps(message)
        self._incoming.put_nowait({"type": "websocket.receive", "text": text})

    def hang_up(self, code: int = 1001) -> None:
        """Disconnect."""
        self._incoming.put_nowait({"type": "websocket.disconnect", "code": code})

    async def until(self, kind: str) -> dict[str, Any]:
        """Wait for a message of this type."""
        async with asyncio.timeout(30):
            while not (found := [message for message in self.received if message["type"] == kind]):
                self._message_arrived.clear()
                await self._message_arrived.wait()
        return found[0]

    async def until_packet(self) -> bytes:
        """Wait for a binary message."""
        async with asyncio.timeout(30):
            while not self.packets:
                self._message_arrived.clear()
                await self._message_arrived.wait()
        return self.packets[0]

    async def receive(self) -> Message:
        """The application's `receive`."""
        return await self._incoming.get()

    async def send(self, message: Message) -> None:
        """The application's `send`."""
        if message["type"] == "websocket.close":
            self.closed.set_result((message["code"], message.get("reason", "")))
            self.hang_up(message["code"])
        elif message.get("bytes") is not None:
            self.packets.append(message["bytes"])
            self._message_arrived.set()
        elif message.get("text") is not None:
            self.received.append(json.loads(message["text"]))
            self._message_arrived.set()


@asynccontextmanager
async def calling(
    arcade: Visitor, app: ASGIApp, path: str, query: str = "", host: str = "::1", subprotocols: tuple[str, ...] = ()
) -> AsyncIterator[Line]:
    """Open a connection to a path of the application; it is closed at the end."""
    connection = Line()
    scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost")],
        "client": (host, 1),
        "scheme": "ws",
        "subprotocols": list(subprotocols),
        "state": {"arcade": arcade.state},
        "extensions": {"websocket.http.response": {}},
    }
    task = asyncio.ensure_future(app(scope, connection.receive, connection.send))
    task.add_done_callback(lambda _: connection.closed.cancel())  # wakes a test that waits for a close that never comes
    try:
        yield connection
    finally:
        connection.hang_up()
        await asyncio.wait_for(task, 30)
