"""The server's end of a WebSocket below the messages: what a flood of frames may cost, and an end that is one."""

import asyncio
import os
import socket
import struct
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from skill_arcade.web.token_bucket import TokenBucket
from skill_arcade.wire.close_codes import REASONS, CloseCode

BYTES_A_SECOND, BYTES_AT_ONCE = 64 * 1024, 256 * 1024
MAX_PARSE_BYTES = 2048
"""Bytes that are parsed in one go. The smallest frame has 6, so this is a millisecond or two at the very worst."""
FRAMES_A_SECOND, FRAMES_AT_ONCE = 250, 500
"""Of any kind, a little more than the messages that are taken: who counts those never sees pings of the protocol."""
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER: close by a reset, and keep nothing."""
LINGER_SECONDS = 3.0
"""How long a socket may take to read what was sent before it was closed."""


class FrameCounter:
    """Counts the frames in a client's bytes by their headers (RFC 6455, section 5.2), wherever the bytes are cut."""

    __slots__ = ("_ahead", "_head")

    def __init__(self) -> None:
        self._head, self._ahead = b"", 0

    def count(self, data: bytes, most: int) -> int:
        """How many frames begin, with a whole header, in these bytes. Gives up above `most`: that was enough."""
        if self._head:
            data, self._head = self._head + data, b""
        number, place, size = 0, self._ahead, len(data)
        while place + 1 < size and number <= most:
            second = data[place + 1]
            length, begin = second & 0x7F, place + (6 if second & 0x80 else 2)
            if length > 125:
                wide = 2 if length == 126 else 8
                if place + 2 + wide > size:
                    break
                length, begin = int.from_bytes(data[place + 2 : place + 2 + wide]), begin + wide
            number, place = number + 1, begin + length
        self._ahead = max(0, place - size)
        self._head = data[place:]
        return number


class RateLimitedWebSocketProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's protocol, which parses a flood in slices, closes it, and lets nobody keep a closed socket."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._bucket = TokenBucket(BYTES_A_SECOND, BYTES_AT_ONCE)
        self._frames, self._counter = TokenBucket(FRAMES_A_SECOND, FRAMES_AT_ONCE), FrameCounter()
        self._unparsed = b""
        self._next: asyncio.Handle | None = None
        self._is_ignoring_input = False
        self._ending: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Take bytes in; more than anybody needs to send ends the socket."""
        if self._is_ignoring_input:
            self.transport.pause_reading()  # it is resumed whenever the application has taken a message
        elif not self._bucket.take(len(data)) or not self._accepts_frames(data):
            self._reject()
        else:
            self._unparsed += data
            if self._next is None:
                self._parse()

    def _parse(self) -> None:
        """Parse a slice; the others have their turn before the next."""
        self._next = None
        head, self._unparsed = self._unparsed[:MAX_PARSE_BYTES], self._unparsed[MAX_PARSE_BYTES:]
        super().data_received(head)
        if self._unparsed and not self.transport.is_closing():
            self._next = self.loop.call_soon(self._parse)

    def _accepts_frames(self, data: bytes) -> bool:
        """False for more frames than anybody needs. They are what costs, so they are counted before they are parsed."""
        return not self.handshake_initiated or self._frames.take(self._counter.count(data, FRAMES_AT_ONCE))

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
        """What came is no WebSocket frame, or too big a one: the protocol has answered with a close frame."""
        said = self.conn.close_sent
        assert said is not None
        self.queue.put_nowait({"type": "websocket.disconnect", "code": said.code, "reason": said.reason})
        self._abort()

    def _abort(self) -> None:
        """Send the close frame and our end of the stream, and read nothing any more.

        Not `transport.close()`: what is unread then makes the system answer with a reset, and that may reach the other
        side before the close frame is read.
        """
        self._unparsed, self._is_ignoring_input, self.close_sent = b"", True, True
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.pause_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._schedule_abort()
        self.close_timer = self.close_timer or self._ending  # else Uvicorn closes when the application is done

    async def send(self, message: Any) -> None:
        """Send; after a close the other side has a moment to read it, if it reads at all."""
        if self._is_ignoring_input:
            raise ClientDisconnected
        if message["type"] == "websocket.close":
            self._schedule_abort()  # first: to send waits for one that reads nothing
        await super().send(message)

    def keepalive_timeout(self) -> None:
        """Nobody answers: end it."""
        super().keepalive_timeout()
        self._schedule_abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        for timer in (self._ending, self._next):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def _schedule_abort(self) -> None:
        if self._ending is None:
            self._ending = self.loop.call_later(LINGER_SECONDS, self._reset)

    def _reset(self) -> None:
        """Reset it: after a plain close the system would keep on offering what a deaf socket has not read."""
        if not self.transport.is_closing():  # else its descriptor may be another socket's already
            file = os.dup(self.transport.get_extra_info("socket").fileno())
            with socket.socket(fileno=file) as same:
                same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.transport.abort()
