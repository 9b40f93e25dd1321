"""Uvicorn's protocols with limits below the level of requests and messages, and the limit on connections.

* HTTP: the head is limited in size, number of headers and time, and the body in time. A response must be read.
* WebSocket: rate limits on bytes and frames. Connections that do not read their close frame are reset after 3 s.

Uvicorn has no options for these limits (`h11_max_incomplete_event_size` only bounds the head, and only with the slower
h11), so this is the only module that extends its protocol classes, which are private. `check_uvicorn` fails at startup
if a version of Uvicorn lacks what this module overrides.
"""

import asyncio
import fcntl
import json
import logging
import os
import resource
import socket
import struct
import termios
import time
from http import HTTPStatus
from typing import Any, ClassVar

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from skill_arcade.errors import SettingsError
from skill_arcade.web.rate_limit import client_key
from skill_arcade.web.token_bucket import TokenBucket
from skill_arcade.wire.close_codes import REASONS, CloseCode

MAX_BYTES_PER_SECOND, MAX_BURST_BYTES = 64 * 1024, 256 * 1024
MAX_PARSE_BYTES = 2048
"""Bytes that are parsed in one event loop iteration. The smallest frame has 6 bytes, so this takes at most
1 to 2 ms.
"""
MAX_FRAMES_PER_SECOND, MAX_BURST_FRAMES = 250, 500
"""Frames of any kind, a little more than the rate limit of messages, which does not count the protocol's own pings."""
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""Value of SO_LINGER: close with a TCP reset and drop unsent data."""
LINGER_SECONDS = 3.0
"""Time for which a closed connection may read what was sent before the close."""
MAX_HEAD_BYTES = 48 * 1024
"""Maximum size of a request's head. The longest is a download, whose ticket has up to 30,000 characters."""
MAX_HEADER_COUNT = 100
"""Maximum number of header fields of a request. A browser behind two proxies sends about 30."""
HEAD_TIMEOUT_SECONDS = 10.0
"""Timeout from the connection, or from the first byte of a later request, to the end of the request's head."""
BODY_TIMEOUT_SECONDS = 30.0
"""Timeout from the end of a request's head to the end of its body, which has at most 64 kB."""
READ_TIMEOUT_SECONDS = 60.0
"""Interval in which a client must read `MIN_READ_BYTES` of a response that waits; otherwise the connection ends."""
MIN_READ_BYTES = 256 * 1024
"""Bytes of a response that a client must read per `READ_TIMEOUT_SECONDS`, so at least 4 kB/s."""
REFUSED_SECONDS = 1.0
"""Time for which a connection above the limit may wait for its answer."""
LOG_INTERVAL_SECONDS = 10.0
"""Minimum interval between two log lines about refused connections."""

log = logging.getLogger(__name__)
# What this module overrides or uses of Uvicorn's classes.
USED_NAMES: dict[type, tuple[str, ...]] = {
    HttpToolsProtocol: (
        "connection_made",
        "connection_lost",
        "data_received",
        "pause_writing",
        "resume_writing",
        "handle_websocket_upgrade",
        "send_400_response",
        "on_message_begin",
        "on_url",
        "on_header",
        "on_headers_complete",
        "on_message_complete",
    ),
    WebSocketsSansIOProtocol: (
        "connection_lost",
        "data_received",
        "send",
        "handle_parser_exception",
        "keepalive_timeout",
    ),
}


def check_uvicorn() -> None:
    """Check that Uvicorn's protocol classes have what this module overrides.

    Raises:
        SettingsError: the installed version lacks something, so the limits might not hold.
    """
    missing = [
        f"{base.__name__}.{name}" for base, names in USED_NAMES.items() for name in names if name not in vars(base)
    ]
    if missing:
        raise SettingsError(
            f"Uvicorn {uvicorn.__version__} is not supported, because it has no {missing[0]}: install the version in "
            "uv.lock, or adapt skill_arcade/web/uvicorn_protocols.py."
        )


def max_connections(setting: int) -> int:
    """Return the limit on connections: the setting, but at most half of the file descriptors of this process."""
    soft_limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return setting if soft_limit == resource.RLIM_INFINITY else max(1, min(setting, soft_limit // 2))


class RequestTooLarge(Exception):
    """The head of a request exceeds a limit."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """Answers 431, 408 or 503 to a connection that exceeds a limit, and ends it."""

    max_connections: ClassVar[int] = 1000
    max_address_connections: ClassVar[int] = 1000
    _refusals: ClassVar[tuple[float, int]] = 0.0, 0
    """When refused connections were logged last, and how many were refused since."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._read_timer: asyncio.TimerHandle | None = None
        self._head_bytes = self._parsed_head_bytes = 0
        self._n_read = self._unread_before = 0
        self._is_in_head = self._has_received = self._is_ended = False
        self._error: tuple[HTTPStatus, str, str] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse a connection above the limit, and start the timeout of the first request's head."""
        n_connections, n_of_address = len(self.connections), self._count_address(transport)
        super().connection_made(transport)
        seconds = HEAD_TIMEOUT_SECONDS
        if n_connections >= self.max_connections or n_of_address >= self.max_address_connections:
            whose = "The server" if n_connections >= self.max_connections else "Your IP address"
            message = f"{whose} has too many open connections. Close other pages and try again."
            self._error, seconds = (HTTPStatus.SERVICE_UNAVAILABLE, "TooManyConnections", message), REFUSED_SECONDS
            self._log_refusal(n_connections, n_of_address)
            if n_connections >= self.max_connections * 3 // 2:  # too many wait for their answer already
                transport.abort()
                return
        self._timer = self.loop.call_later(seconds, self._on_timeout)

    def _count_address(self, transport: asyncio.Transport) -> int:
        """Return how many connections the peer's address has."""
        peer = transport.get_extra_info("peername")
        if self.max_address_connections >= self.max_connections or not isinstance(peer, tuple):
            return 0
        key = client_key(peer[0])
        clients = (getattr(connection, "client", None) for connection in self.connections)
        return sum(client is not None and client_key(client[0]) == key for client in clients)

    def _log_refusal(self, n_connections: int, n_of_address: int) -> None:
        kind = type(self)
        logged_at, count = kind._refusals
        now = time.monotonic()
        if logged_at and now - logged_at < LOG_INTERVAL_SECONDS:
            kind._refusals = logged_at, count + 1
            return
        log.warning("connections refused count=%d open=%d of_address=%d", count + 1, n_connections, n_of_address)
        kind._refusals = now, 0

    def data_received(self, data: bytes) -> None:
        """Parse, and reject a head that is too large even before it is complete."""
        if self._is_ended or self.transport.is_closing():
            return
        self._has_received = True
        if self._error is not None:  # refused when it connected
            self._answer_error()
            return
        if self._is_in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        # The parser collects an incomplete header without telling, so the bytes of the whole head count.
        if not self._is_ended and self._is_in_head and self._head_bytes > MAX_HEAD_BYTES:
            self._error = _too_large()
            self._answer_error()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head, self._head_bytes, self._parsed_head_bytes = True, 0, 0
        if self._timer is None:
            self._timer = self.loop.call_later(HEAD_TIMEOUT_SECONDS, self._on_timeout)

    def on_url(self, url: bytes) -> None:
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_head(len(name) + len(value) + 4)
        if len(self.headers) >= MAX_HEADER_COUNT:
            self._error = _too_large()
            raise RequestTooLarge
        super().on_header(name, value)

    def _count_head(self, n_bytes: int) -> None:
        self._parsed_head_bytes += n_bytes
        if self._parsed_head_bytes > MAX_HEAD_BYTES:
            self._error = _too_large()
            raise RequestTooLarge

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._restart_timer(BODY_TIMEOUT_SECONDS)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._restart_timer(None)
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._restart_timer(None)  # the WebSocket has its own timeouts
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Answer an invalid request, or one that exceeds a limit."""
        self._error = self._error or (HTTPStatus.BAD_REQUEST, "InvalidRequest", msg)
        self._answer_error()

    def _restart_timer(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._on_timeout)

    def _on_timeout(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        part = "head" if self._is_in_head or self.cycle is None else "body"
        message = f"Timeout: the {part} of the request did not arrive. Send it again."
        self._error = self._error or (HTTPStatus.REQUEST_TIMEOUT, "RequestTimeout", message)
        self._answer_error()

    def _answer_error(self) -> None:
        """Answer with the error unless a response has started, and end the connection."""
        assert self._error is not None
        self._is_ended = True
        status, error, message = self._error
        has_begun = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if self._has_received and not has_begun:
            body = json.dumps({"error": error, "message": message}).encode()
            head = (
                f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # the application's own response comes too late
            self.cycle.message_event.set()
        self._restart_timer(None)
        # Not `close` at once: unread bytes of the client would let the system reset the answer away.
        self.transport.pause_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(REFUSED_SECONDS, self.transport.abort)

    # -- a response that is not read -----------------------------------------------------------------------------

    def pause_writing(self) -> None:
        """Start to watch whether the client reads."""
        super().pause_writing()
        self._unread_before = self._unread_bytes()
        if self._read_timer is None:
            self._watch_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._n_read += max(0, self._unread_before - self._unread_bytes())

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, also if the client has not read the end of its last response."""
        super().timeout_keep_alive_handler()
        if self._read_timer is None:
            self._watch_reading()

    def _watch_reading(self) -> None:
        self._n_read, self._unread_before = 0, self._unread_bytes()
        self._read_timer = self.loop.call_later(READ_TIMEOUT_SECONDS, self._check_reading)

    def _check_reading(self) -> None:
        """End the connection if its client has read too little since the last check."""
        self._read_timer = None
        if not self.flow.write_paused and not self.transport.is_closing():
            return
        if self._n_read + self._unread_before - self._unread_bytes() < MIN_READ_BYTES:
            log.info("connection ended, client does not read its response unread_bytes=%d", self._unread_bytes())
            _reset(self.transport)
        else:
            self._watch_reading()

    def _unread_bytes(self) -> int:
        """Return how many sent bytes the client has not acknowledged: those in this process and in the kernel."""
        try:
            in_kernel = fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
        except (OSError, ValueError):
            in_kernel = bytes(4)
        return self.transport.get_write_buffer_size() + int.from_bytes(in_kernel, "little")

    def connection_lost(self, exc: Exception | None) -> None:
        self._restart_timer(None)
        if self._read_timer is not None:
            self._read_timer.cancel()
        super().connection_lost(exc)


def limited_http_protocol(n_connections: int, n_address_connections: int) -> type[LimitedHttpProtocol]:
    """Return the protocol class with these limits on all connections, and on those of one address."""
    limits = {"max_connections": n_connections, "max_address_connections": n_address_connections}
    return type("LimitedHttpProtocol", (LimitedHttpProtocol,), limits)


def _too_large() -> tuple[HTTPStatus, str, str]:
    limits = f"{MAX_HEAD_BYTES} bytes or {MAX_HEADER_COUNT} fields"
    message = f"The head of the request exceeds the maximum of {limits}. Delete cookies or send fewer headers."
    return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "HeadTooLarge", message


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
        self._byte_bucket = TokenBucket(MAX_BYTES_PER_SECOND, MAX_BURST_BYTES)
        self._frame_bucket, self._frame_counter = TokenBucket(MAX_FRAMES_PER_SECOND, MAX_BURST_FRAMES), FrameCounter()
        self._unparsed = b""
        self._next_parse: asyncio.Handle | None = None
        self._is_ignoring_input = False
        self._reset_timer: asyncio.TimerHandle | None = None

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
            self._frame_counter.count(data, MAX_BURST_FRAMES)
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
        _reset(self.transport)


def _reset(transport: asyncio.Transport) -> None:
    """Reset a connection.

    After a plain close the system would keep retransmitting to a client that does not read.
    """
    if not transport.is_closing():  # otherwise its descriptor may belong to another socket already
        file = os.dup(transport.get_extra_info("socket").fileno())
        with socket.socket(fileno=file) as duplicate:
            duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    transport.abort()
