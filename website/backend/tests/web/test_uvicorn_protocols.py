"""Rate limits below the messages, and connections that do not read after they are closed (rule F4)."""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from skill_arcade.web.rate_limiting.table import BYTES, FRAMES
from skill_arcade.web.uvicorn_protocols.websocket import FrameCounter, RateLimitedWebSocketProtocol
from skill_arcade.wire.close_codes import CloseCode

pytestmark = pytest.mark.anyio
UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def serve_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """Send until the client's buffers are full, then close (`/full`), or read until it disconnects."""
    await receive()
    await send({"type": "websocket.accept"})
    if scope["path"] == "/full":
        try:
            async with asyncio.timeout(0.5):
                while True:
                    await send({"type": "websocket.send", "bytes": bytes(100_000)})
        except TimeoutError:
            pass
        try:
            async with asyncio.timeout(0.1):
                await send({"type": "websocket.close", "code": int(CloseCode.TOO_SLOW), "reason": "slow"})
        except TimeoutError:
            pass
    while (await receive())["type"] != "websocket.disconnect":
        pass


@pytest.fixture
async def port(anyio_backend: str) -> AsyncIterator[int]:
    server = uvicorn.Server(
        uvicorn.Config(
            serve_socket,
            ws=RateLimitedWebSocketProtocol,
            ws_per_message_deflate=False,
            lifespan="off",
            log_level="error",
        )
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = asyncio.create_task(server.serve([listener]))
        yield listener.getsockname()[1]
        server.should_exit = True
        await running


async def test_closed_connection_that_reads_nothing_is_reset(port: int) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect(("127.0.0.1", port))
        raw.setblocking(False)
        await loop.sock_sendall(raw, UPGRADE.format(path="/full").encode())
        async with asyncio.timeout(30):
            with pytest.raises(ConnectionError):
                await write_until_reset(raw)


async def write_until_reset(raw: socket.socket) -> None:
    """Write until the connection is reset, and read nothing."""
    while True:
        await asyncio.get_running_loop().sock_sendall(raw, b"\x8a\x80\0\0\0\0")
        await asyncio.sleep(0.1)


async def test_F4_rate_limit_of_bytes_closes_with_rate_limited(port: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}/", compression=None, close_timeout=1) as connection:
        connection.transport.write(b"\x89\x80\0\0\0\0" * int(BYTES.burst))
        with pytest.raises(ConnectionClosed):
            await connection.recv()
    assert connection.close_code == CloseCode.RATE_LIMITED


@given(
    st.lists(st.tuples(st.integers(0, 15), st.booleans(), st.sampled_from([0, 1, 125, 126, 300, 65_536])), max_size=9),
    st.lists(st.integers(1, 200), min_size=1, max_size=9),
)
def test_frame_counter_counts_frames_split_anywhere(frames: list[tuple[int, bool, int]], cuts: list[int]) -> None:
    data, counter, n_frames = b"".join(make_frame(*fields) for fields in frames), FrameCounter(), 0
    sizes = itertools.chain(cuts, itertools.repeat(50_000))
    while data:
        size = next(sizes)
        n_frames += counter.count(data[:size], 10_000)
        data = data[size:]
    assert n_frames == len(frames)


def make_frame(opcode: int, masked: bool, size: int) -> bytes:
    """Make a frame with a payload of `size` bytes."""
    mask_bit = 0x80 if masked else 0
    if size < 126:
        length = bytes([mask_bit | size])
    elif size < 65_536:
        length = bytes([mask_bit | 126]) + size.to_bytes(2)
    else:
        length = bytes([mask_bit | 127]) + size.to_bytes(8)
    return bytes([0x80 | opcode]) + length + (b"mask" if masked else b"") + b"\xff" * size


async def test_F4_rate_limit_of_frames_closes_with_rate_limited(port: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}/", compression=None, close_timeout=1, ping_interval=None) as connection:
        connection.transport.write(b"\x89\x80\0\0\0\0" * int(4 * FRAMES.burst))  # few bytes, below the limit of bytes
        connection.transport.write(b"\x81\x80\0\0\0\0")
        async with asyncio.timeout(10):
            with pytest.raises(ConnectionClosed):
                await connection.recv()
    assert connection.close_code == CloseCode.RATE_LIMITED
