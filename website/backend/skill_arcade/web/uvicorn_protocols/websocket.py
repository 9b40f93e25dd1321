"""Uvicorn's WebSocket protocol with rate limits on bytes and frames.

Connections that do not read their close frame are reset after 3 s.
"""

import asyncio
import struct
from collections.abc import Callable
from typing import Any

from starlette.types import Scope
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.protocol import State

from skill_arcade.web.rate_limiting.table import BYTES, FRAMES, PROGRAM_BYTES, PROGRAM_FRAMES, RateLimit
from skill_arcade.web.rate_limiting.token_bucket import TokenBucket
from skill_arcade.web.uvicorn_protocols.reset import reset
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.error_table import REASONS

MAX_PARSE_BYTES = 2048
"""Bytes that are parsed in one event loop iteration. The smallest frame has 6 bytes, so this takes at most
1 to 2 ms.
"""
LIMITS_EXTENSION = "skill_arcade.limits"
"""ASGI extension of a connection's scope: a function that replaces its limits of bytes and frames."""
DIRECT_EXTENSION = "skill_arcade.direct"
"""ASGI extension of a connection's scope: the protocol, for messages without a task switch."""
LINGER_SECONDS = 3.0
"""Time for which a closed connection may read what was sent before the close."""


_HEAD = struct.Struct("!BB")
_HEAD_16 = struct.Struct("!BBH")
_HEAD_64 = struct.Struct("!BBQ")
_WHOLE_BINARY = 0x82


def binary_frame_head(size: int) -> bytes:
    """Return the head of a server's frame with a whole binary message (RFC 6455, section 5.2).

    Frames of the game are most of what the server sends. The general code of `websockets` makes a dozen calls for each.
    """
    if size < 126:
        return _HEAD.pack(_WHOLE_BINARY, size)
    if size < 65_536:
        return _HEAD_16.pack(_WHOLE_BINARY, 126, size)
    return _HEAD_64.pack(_WHOLE_BINARY, 127, size)


class FrameCounter:
    """Counts frames in a byte stream by their headers (RFC 6455, section 5.2), wherever the bytes are split."""

    __slots__ = ("_partial_header", "_skip_bytes")

    def __init__(self) -> None:
        self._partial_header, self._skip_bytes = b"", 0

    def count(self, data: bytes, max_frames: int) -> int:
        """Return how many frames begin with a complete header in these bytes. Stops counting above `max_frames`."""
        if self._partial_header:
            data, self._partial_header = self._partial_header + data, b""
        n_frames, position, size = 0, self._skip_bytes, len(data)
        while position + 1 < size and n_frames <= max_frames:
            second = data[position + 1]
            length, payload_start = second & 0x7F, position + (6 if second & 0x80 else 2)
            if length > 125:
                length_bytes = 2 if length == 126 else 8
                if position + 2 + length_bytes > size:
                    break
                length, payload_start = (
                    int.from_bytes(data[position + 2 : position + 2 + length_bytes]),
                    payload_start + length_bytes,
                )
            n_frames, position = n_frames + 1, payload_start + length
        self._skip_bytes = max(0, position - size)
        self._partial_header = data[position:]
        return n_frames


class RateLimitedWebSocketProtocol(WebSocketsSansIOProtocol):
    """Closes connections that exceed the rate limit, and resets closed connections that do not read.

    Input is parsed in slices, so that one connection cannot block the event loop.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._set_limits(BYTES, FRAMES)
        self._frame_counter = FrameCounter()
        self._unparsed = b""
        self._next_parse: asyncio.Handle | None = None
        self._is_ignoring_input = False
        self._reset_timer: asyncio.TimerHandle | None = None
        self.on_text: Callable[[bytes], None] | None = None
        """Takes the text messages of the accepted connection, or None if the application receives them.

        The queue of the application costs a task switch a message, and two system calls to pause and resume reading.
        """

    def _set_limits(self, in_bytes: RateLimit, in_frames: RateLimit) -> None:
        self._byte_bucket, self._frame_bucket = TokenBucket(in_bytes), TokenBucket(in_frames)
        self._max_frames = int(in_frames.burst)

    def handle_connect(self, event: Request) -> None:
        """Let the application raise the limits, once it knows who has connected, and exchange messages directly."""
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["extensions"][LIMITS_EXTENSION] = {"set": self._set_limits}
            self.scope["extensions"][DIRECT_EXTENSION] = {"protocol": self}

    def data_received(self, data: bytes) -> None:
        """Accept bytes, and close the connection if they exceed the rate limit."""
        if self._is_ignoring_input:
            self.transport.pause_reading()  # it is resumed whenever the application takes a message
        elif not self._byte_bucket.take(len(data)) or not self._accepts_frames(data):
            self._reject()
        else:
            self._unparsed += data
            if self._next_parse is None:
                self._parse()

    def _parse(self) -> None:
        """Parse one slice; other connections get their turn before the next one."""
        self._next_parse = None
        slice_, self._unparsed = self._unparsed[:MAX_PARSE_BYTES], self._unparsed[MAX_PARSE_BYTES:]
        super().data_received(slice_)
        if self._unparsed and not self.transport.is_closing():
            self._next_parse = self.loop.call_soon(self._parse)

    def _accepts_frames(self, data: bytes) -> bool:
        """Return False if there are too many frames.

        They are counted before they are parsed, because parsing is what costs.
        """
        return not self.handshake_initiated or self._frame_bucket.take(
            self._frame_counter.count(data, self._max_frames)
        )

    def _reject(self) -> None:
        if not self.handshake_complete:
            self.transport.abort()
            return
        if not self.close_sent:
            code, reason = CloseCode.RATE_LIMITED, REASONS[CloseCode.RATE_LIMITED]
            self.queue.put_nowait({"type": "websocket.disconnect", "code": int(code), "reason": reason})
            self.conn.send_close(code, reason)
        self._abort()

    def handle_parser_exception(self) -> None:
        """Handle bytes that are not a valid frame, or a message that is too large; a close frame is queued already."""
        close_frame = self.conn.close_sent
        assert close_frame is not None
        self.queue.put_nowait({"type": "websocket.disconnect", "code": close_frame.code, "reason": close_frame.reason})
        self._abort()

    def _abort(self) -> None:
        """Send the close frame and end the stream, and read nothing any more.

        `transport.close()` would let the system answer unread bytes with a reset, which may overtake the close frame.
        """
        self._unparsed, self._is_ignoring_input, self.close_sent = b"", True, True
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.pause_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._schedule_abort()
        self.close_timer = (
            self.close_timer or self._reset_timer
        )  # otherwise Uvicorn closes when the application returns

    def handle_text(self, event: Frame) -> None:
        """Give a whole text message to `on_text` if no message waits before it; queue it otherwise."""
        if self.on_text is None or not event.fin or self.close_sent or not self.queue.empty():
            super().handle_text(event)
            return
        data = bytes(event.data)
        try:
            data.decode()
        except UnicodeDecodeError:
            super().handle_text(event)  # which closes the connection
        else:
            self.on_text(data)

    def write_now(self, message: str | bytes) -> bool:
        """Write a message of the accepted connection.

        Return False, without writing, if the client is behind or the connection is closing: `send` then waits or
        raises. What the event loop reads from a game in one iteration leaves in one system call, because uvloop joins
        the writes of an iteration.
        """
        if not self.handshake_complete or not self.writable.is_set() or self.close_sent or self.disconnected:
            return False
        if self.conn.state is not State.OPEN:
            return False
        if isinstance(message, bytes) and not self.conn.extensions:
            self.transport.write(binary_frame_head(len(message)) + message)
            return True
        if isinstance(message, bytes):
            self.conn.send_binary(message)
        else:
            self.conn.send_text(message.encode())
        self.transport.write(b"".join(self.conn.data_to_send()))
        return True

    async def send(self, message: Any) -> None:
        """Send a message. After a close the client has `LINGER_SECONDS` to read it."""
        if self._is_ignoring_input:
            raise ClientDisconnected
        if message["type"] == "websocket.close":
            self._schedule_abort()  # first, because sending blocks on a client that does not read
        await super().send(message)

    def keepalive_timeout(self) -> None:
        """Close the connection of a client that does not answer pings."""
        super().keepalive_timeout()
        self._schedule_abort()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._reset_timer, self._next_parse):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def _schedule_abort(self) -> None:
        if self._reset_timer is None:
            self._reset_timer = self.loop.call_later(LINGER_SECONDS, self._reset)

    def _reset(self) -> None:
        reset(self.transport)


def use_program_limits(scope: Scope) -> None:
    """Use the limits of programs on this connection. Does nothing in a test client, which has no limits."""
    extension = scope.get("extensions", {}).get(LIMITS_EXTENSION)
    if extension is not None:
        extension["set"](PROGRAM_BYTES, PROGRAM_FRAMES)


def find_protocol(scope: Scope) -> RateLimitedWebSocketProtocol | None:
    """Return the protocol of a connection, or None in a test client."""
    protocol: RateLimitedWebSocketProtocol | None = (
        scope.get("extensions", {}).get(DIRECT_EXTENSION, {}).get("protocol")
    )
    return protocol
