"""Limits of HTTP connections, over real sockets: head, body, unread responses, and number of connections."""

import asyncio
import json
import resource
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from skill_arcade.web.uvicorn_protocols import http
from skill_arcade.web.uvicorn_protocols.http import (
    MAX_HEAD_BYTES,
    MAX_HEADER_COUNT,
    limited_http_protocol,
    max_connections,
)

pytestmark = pytest.mark.anyio


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body, then answer `ok`, or for `/large` more than all buffers hold."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        if not message.get("more_body", False):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(400 if scope["path"] == "/large" else 0):
        await send({"type": "http.response.body", "body": bytes(100_000), "more_body": True})
    await send({"type": "http.response.body", "body": b"ok", "more_body": False})


@asynccontextmanager
async def serving(n_connections: int = 1000, n_of_address: int = 1000) -> AsyncIterator[int]:
    config = uvicorn.Config(
        answer,
        http=limited_http_protocol(n_connections, n_of_address),
        lifespan="off",
        log_level="error",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = asyncio.create_task(server.serve([listener]))
        yield listener.getsockname()[1]
        server.should_exit = True
        await running


async def ask(port: int, *chunks: bytes, local: str = "127.0.0.1") -> tuple[int, dict[str, str]]:
    """Send chunks; return the status and the JSON of the answer, or 0 if the connection ends without one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(local, 0))
    try:
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(0)
        async with asyncio.timeout(10):
            raw = await reader.read(-1)
    finally:
        writer.close()
    head, _, body = raw.partition(b"\r\n\r\n")
    if not head:
        return 0, {}
    return int(head.split()[1]), json.loads(body) if body.startswith(b"{") else {}


def request(*headers: str, path: str = "/") -> bytes:
    lines = (f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", "")
    return "\r\n".join(lines).encode()


async def test_head_below_the_limits_is_answered() -> None:
    async with serving() as port:
        long_path = "/" + "x" * (MAX_HEAD_BYTES - 200)
        assert (await ask(port, request(path=long_path)))[0] == 200
        assert (await ask(port, request(*(f"X-{n}: y" for n in range(MAX_HEADER_COUNT - 2)))))[0] == 200
        halves = request("X: y")
        assert (await ask(port, *(halves[n : n + 1] for n in range(len(halves)))))[0] == 200


@pytest.mark.parametrize(
    "chunks",
    [
        (request("X: " + "y" * MAX_HEAD_BYTES),),
        (request(path="/" + "x" * MAX_HEAD_BYTES),),
        (request(*(f"X-{n}: y" for n in range(MAX_HEADER_COUNT + 1))),),
        (b"GET / HTTP/1.1\r\nX: ", *(b"y" * 1000 for _ in range(60))),
        (b"GET / HTTP/1.1\r\n", *(b"x" * 1000 for _ in range(60))),
    ],
    ids=["long-header", "long-path", "many-headers", "endless-value", "endless-name"],
)
async def test_head_above_a_limit_answers_431(chunks: tuple[bytes, ...]) -> None:
    async with serving() as port:
        status, body = await ask(port, *chunks)
        assert (status, body["error"]) == (431, "HeadTooLarge")
        assert str(MAX_HEAD_BYTES) in body["message"]


async def test_300_mb_of_header_ends_after_the_limit() -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nX: ")
        sent, started_at = 0, time.monotonic()
        with suppress(ConnectionError):
            while sent < 300 << 20:
                writer.write(b"y" * (1 << 20))
                sent += 1 << 20
                await writer.drain()
        writer.close()
        assert sent < 20 << 20
        assert time.monotonic() - started_at < 5
        del reader


async def test_half_sent_head_and_body_answer_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "HEAD_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(http, "BODY_TIMEOUT_SECONDS", 0.3)
    async with serving() as port:
        assert (await ask(port, b"GET / HTTP/1.1\r\nHost: "))[0] == 408
        status, body = await ask(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
        assert (status, body["error"]) == (408, "RequestTimeout")
        assert "body" in body["message"]
        assert await ask(port) == (0, {})  # a connection without a request just ends
        whole = request()[:-2].replace(b"close", b"keep-alive") + b"\r\n"
        status, body = await ask(port, whole + b"GET / HTTP/1.1\r\n")  # the second request of the connection is cut
        assert status == 200


async def test_invalid_request_answers_400() -> None:
    async with serving() as port:
        status, body = await ask(port, b"NONSENSE\r\n\r\n")
        assert (status, body["error"]) == (400, "MalformedRequest")


async def test_response_that_is_not_read_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "READ_TIMEOUT_SECONDS", 0.5)
    async with serving() as port:
        loop = asyncio.get_running_loop()
        with socket.socket() as raw:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.connect(("127.0.0.1", port))
            raw.setblocking(False)
            await loop.sock_sendall(raw, request(path="/large"))
            await asyncio.sleep(1.5)
            with pytest.raises(ConnectionError):
                await read_all(raw)


async def read_all(raw: socket.socket) -> None:
    while await asyncio.get_running_loop().sock_recv(raw, 1 << 20):
        pass


async def test_response_that_is_read_slowly_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "READ_TIMEOUT_SECONDS", 0.3)
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request(path="/large"))
        total = 0
        while chunk := await reader.read(1 << 20):
            total += len(chunk)
            await asyncio.sleep(0.02)
        writer.close()
        assert total > 40_000_000


async def test_connections_above_the_limit_answer_503_and_others_are_served() -> None:
    async with serving(n_connections=8, n_of_address=4) as port:
        idle = [await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.2", 0)) for _ in range(6)]
        status, body = await ask(port, request(), local="127.0.0.2")
        assert (status, body["error"]) == (503, "TooManyConnections")
        assert "Your IP address" in body["message"]
        await asyncio.sleep(1.5)  # those above the share of the address are gone
        assert (await ask(port, request()))[0] == 200
        for _, writer in idle:
            writer.close()
        await asyncio.sleep(0.2)
        assert (await ask(port, request(), local="127.0.0.2"))[0] == 200


def test_max_connections_is_at_most_half_of_the_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 4096))
    assert max_connections(1000) == 128
    assert max_connections(20) == 20
