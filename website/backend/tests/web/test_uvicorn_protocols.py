"""Rate limits below the messages, and connections that do not read after they are closed (rule F4)."""

import asyncio
import itertools
import socket
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from skill_arcade.play.connections.game_connection import ClientQueue
from skill_arcade.web.rate_limiting.table import BYTES, FRAMES
from skill_arcade.web.uvicorn_protocols.websocket import (
    FrameCounter,
    RateLimitedWebSocketProtocol,
    binary_frame_head,
    find_protocol,
)
from skill_arcade.wire.close_codes import CloseCode

pytestmark = pytest.mark.anyio
UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def serve_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """Do what the path says, then read until the client disconnects.

    `/full` sends until the client's buffers are full, then closes. `/count` and `/listen` send and receive numbers.
    """
    await receive()
    await send({"type": "websocket.accept"})
    if scope["path"] == "/count":
        await send_numbers(scope, send)
        return
    if scope["path"] == "/listen":
        await receive_numbers(scope, receive)
        return
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


N_NUMBERS = 600
ways: Counter[str] = Counter()


async def send_numbers(scope: Scope, send: Send) -> None:
    """Send more than the buffers hold, as the play socket does; `ways` counts the messages that are written at once."""
    queue, protocol = ClientQueue(), find_protocol(scope)
    assert protocol is not None

    def write_now(message: str | bytes) -> bool:
        is_written = protocol.write_now(message)
        ways["at once" if is_written else "refused"] += 1
        return is_written

    async def put_numbers() -> None:
        for number in range(N_NUMBERS):
            queue.put(f"{number}" if number % 7 == 0 else number.to_bytes(2) + bytes(50_000))
            await asyncio.sleep(0 if number % 3 else 0.001)
        queue.close(CloseCode.NORMAL, "")

    queue.write_now = write_now
    putting = asyncio.create_task(put_numbers())
    while (message := await queue.get()) is not None:
        await send({"type": "websocket.send", "bytes" if isinstance(message, bytes) else "text": message})
    await putting
    await send({"type": "websocket.close", "code": 1000})


received: list[tuple[str, int]] = []


async def receive_numbers(scope: Scope, receive: Receive) -> None:
    """Note each number with the way on which it came. Some of them come before the application listens."""
    protocol = find_protocol(scope)
    assert protocol is not None
    await asyncio.sleep(0.1)
    protocol.on_text = lambda text: received.append(("direct", int(text)))
    while (message := await receive())["type"] == "websocket.receive":
        received.append(("queued", int(message["text"])))


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


async def test_write_now_to_slow_client_keeps_order_and_loses_nothing(port: int) -> None:
    ways.clear()
    numbers = []
    async with connect(f"ws://127.0.0.1:{port}/count", compression=None, close_timeout=1) as connection:
        await asyncio.sleep(0.3)  # until its buffers are full
        async for message in connection:
            numbers.append(int(message) if isinstance(message, str) else int.from_bytes(message[:2]))
    assert numbers == list(range(N_NUMBERS))
    assert ways["at once"] > 10
    assert ways["refused"] > 0


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_binary_frame_head_equals_that_of_websockets(size: int) -> None:
    data = bytes(size)
    assert binary_frame_head(size) + data == Frame(Opcode.BINARY, data).serialize(mask=False)


async def test_write_now_to_closed_connection_returns_false(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    protocols: list[RateLimitedWebSocketProtocol] = []
    connection_made = RateLimitedWebSocketProtocol.connection_made

    def note(self: RateLimitedWebSocketProtocol, transport: asyncio.BaseTransport) -> None:
        protocols.append(self)
        connection_made(self, transport)

    monkeypatch.setattr(RateLimitedWebSocketProtocol, "connection_made", note)
    async with connect(f"ws://127.0.0.1:{port}/", compression=None, close_timeout=1) as connection:
        (protocol,) = protocols
        assert protocol.write_now(b"one")
        assert await connection.recv() == b"one"
    async with asyncio.timeout(10):
        while not protocol.disconnected:
            await asyncio.sleep(0.01)
    assert not protocol.write_now(b"two")


async def test_on_text_after_queued_messages_keeps_order_and_loses_nothing(port: int) -> None:
    received.clear()
    async with connect(f"ws://127.0.0.1:{port}/listen", compression=None, close_timeout=1) as connection:
        for number in range(100):
            await connection.send(iter([str(number), ""]) if number % 10 == 9 else str(number))  # some in two frames
            await asyncio.sleep(0 if number < 20 else 0.004)
    async with asyncio.timeout(10):
        while len(received) < 100:
            await asyncio.sleep(0.01)
    assert [number for _, number in received] == list(range(100))
    assert {way for way, _ in received} == {"direct", "queued"}


async def test_on_text_with_invalid_utf8_closes_with_1007(port: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}/listen", compression=None, close_timeout=1) as connection:
        await asyncio.sleep(0.3)
        connection.transport.write(b"\x81\x81\0\0\0\0\xff")
        with pytest.raises(ConnectionClosed):
            await connection.recv()
    assert connection.close_code == 1007
