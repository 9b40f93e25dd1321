"""The contract with Uvicorn's private protocol classes, which `web/uvicorn_protocols` extends.

Run it with another version of Uvicorn before `TESTED_VERSION` is changed.
"""

import ast
import asyncio
import inspect
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.asyncio.client import connect

import skill_arcade
from skill_arcade.errors import SettingsError
from skill_arcade.web.uvicorn_protocols.compatibility import TESTED_VERSION, USED_METHODS, check_uvicorn
from skill_arcade.web.uvicorn_protocols.http import LimitedHttpProtocol
from skill_arcade.web.uvicorn_protocols.websocket import RateLimitedWebSocketProtocol

PACKAGE = Path(skill_arcade.__file__).parent
BASES: dict[type, type] = {
    LimitedHttpProtocol: HttpToolsProtocol,
    RateLimitedWebSocketProtocol: WebSocketsSansIOProtocol,
}


def test_installed_version_is_the_tested_one() -> None:
    check_uvicorn()
    assert uvicorn.__version__.startswith(f"{TESTED_VERSION}.")


def test_check_uvicorn_with_another_version_raises_settings_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uvicorn, "__version__", "0.99.0")
    with pytest.raises(SettingsError, match=r"Uvicorn 0\.99\.0 is not supported"):
        check_uvicorn()


@pytest.mark.parametrize(
    ("name", "parameters"), [("no_such_method", ()), ("data_received", ("data", "more"))], ids=["missing", "changed"]
)
def test_check_uvicorn_with_another_method_raises_settings_error(
    monkeypatch: pytest.MonkeyPatch, name: str, parameters: tuple[str, ...]
) -> None:
    monkeypatch.setitem(USED_METHODS, HttpToolsProtocol, {name: parameters})
    with pytest.raises(SettingsError, match=rf"it has no HttpToolsProtocol\.{name}"):
        check_uvicorn()


@pytest.mark.parametrize("limited", BASES)
def test_guard_lists_every_method_that_is_overridden(limited: type) -> None:
    base = BASES[limited]
    overridden = {name for name, value in vars(limited).items() if inspect.isfunction(value) and hasattr(base, name)}
    assert overridden - {"__init__"} == USED_METHODS[base].keys()


def test_only_one_package_knows_the_private_protocols() -> None:
    importers = {
        path.relative_to(PACKAGE).parent.as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("uvicorn.protocols")
    }
    assert importers == {"web/uvicorn_protocols"}


class RecordedHttp(HttpToolsProtocol):
    """Uvicorn's own class, which notes each call of a method that is overridden."""

    calls: list[str]


class RecordedWebSocket(WebSocketsSansIOProtocol):
    """Uvicorn's own class, which notes each call of a method that is overridden."""

    calls: list[str]


def _recorder(name: str, base: type) -> Any:
    def record(self: Any, *arguments: Any) -> Any:
        type(self).calls.append(name)
        return getattr(super(type(self), self), name)(*arguments)

    return record


for _kind, _base in ((RecordedHttp, HttpToolsProtocol), (RecordedWebSocket, WebSocketsSansIOProtocol)):
    _kind.calls = []
    for _name in USED_METHODS[_base]:
        setattr(_kind, _name, _recorder(_name, _base))


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Echo one message, or answer a request after its body."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": (await receive())["text"]})
        await send({"type": "websocket.close", "code": 1000})
    else:
        await receive()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    config = uvicorn.Config(
        application, http=RecordedHttp, ws=RecordedWebSocket, lifespan="off", log_level="error", timeout_keep_alive=1
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = asyncio.create_task(server.serve([listener]))
        yield listener.getsockname()[1]
        server.should_exit = True
        await running


@pytest.mark.anyio
async def test_uvicorn_calls_the_methods_that_are_overridden() -> None:
    RecordedHttp.calls.clear()
    RecordedWebSocket.calls.clear()
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nok")
        assert (await reader.readline()).startswith(b"HTTP/1.1 204")
        async with asyncio.timeout(10):
            await reader.read()  # until the keep-alive timeout ends the connection
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"not HTTP\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 400")
        writer.close()
        async with connect(f"ws://127.0.0.1:{port}/") as client:
            await client.send("hello")
            assert await client.recv() == "hello"
            await client.wait_closed()
        async with connect(f"ws://127.0.0.1:{port}/") as client:
            client.transport.write(b"\xff\xff\xff\xff")  # reserved bits: not a valid frame
            await client.wait_closed()
    # Flow control and unanswered pings have tests of their own, which fill buffers and wait for timeouts.
    expected = USED_METHODS[HttpToolsProtocol].keys() - {"pause_writing", "resume_writing"}
    assert expected - set(RecordedHttp.calls) == set()
    assert USED_METHODS[WebSocketsSansIOProtocol].keys() - {"keepalive_timeout"} - set(RecordedWebSocket.calls) == set()
