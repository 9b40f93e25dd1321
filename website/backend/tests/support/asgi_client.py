"""A play socket without a network: what a page says and hears, straight to the application."""

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
    """One socket. `heard`: the texts; `closed`: code and reason, once the server closes it."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.closed: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self._said: asyncio.Queue[Message] = asyncio.Queue()
        self._news = asyncio.Event()
        self._said.put_nowait({"type": "websocket.connect"})

    def say(self, message: dict[str, Any] | str) -> None:
        """Say it."""
        text = message if isinstance(message, str) else json.dumps(message)
        self._said.put_nowait({"type": "websocket.receive", "text": text})

    def hang_up(self, code: int = 1001) -> None:
        """The page is gone."""
        self._said.put_nowait({"type": "websocket.disconnect", "code": code})

    async def until(self, kind: str) -> dict[str, Any]:
        """Wait for a message of this kind."""
        async with asyncio.timeout(30):
            while not (found := [message for message in self.heard if message["type"] == kind]):
                self._news.clear()
                await self._news.wait()
        return found[0]

    async def receive(self) -> Message:
        """For the application."""
        return await self._said.get()

    async def send(self, message: Message) -> None:
        """For the application."""
        if message["type"] == "websocket.close":
            self.closed.set_result((message["code"], message.get("reason", "")))
            self.hang_up(message["code"])
        elif message.get("text") is not None:
            self.heard.append(json.loads(message["text"]))
            self._news.set()


@asynccontextmanager
async def calling(arcade: Visitor, app: ASGIApp, path: str, query: str = "", host: str = "::1") -> AsyncIterator[Line]:
    """Call a path of the application by a socket; it hangs up at the end."""
    line = Line()
    scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost")],
        "client": (host, 1),
        "scheme": "ws",
        "subprotocols": [],
        "state": {"arcade": arcade.state},
        "extensions": {"websocket.http.response": {}},
    }
    task = asyncio.ensure_future(app(scope, line.receive, line.send))
    task.add_done_callback(lambda _: line.closed.cancel())  # whoever waits for a close that never comes
    try:
        yield line
    finally:
        line.hang_up()
        await asyncio.wait_for(task, 30)
