"""Uvicorn's HTTP protocol with limits below the level of requests, and the limit on connections.

The head is limited in size, number of headers and time, and the body in time. A response must be read.
"""

import asyncio
import fcntl
import json
import logging
import resource
import termios
import time
from http import HTTPStatus
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from skill_arcade.web.client_address import client_key
from skill_arcade.web.uvicorn_protocols.reset import reset
from skill_arcade.wire.error_table import (
    HEAD_TOO_LARGE,
    MALFORMED_REQUEST,
    REQUEST_TIMEOUT,
    TOO_MANY_CONNECTIONS,
    ErrorEntry,
)

log = logging.getLogger(__name__)

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
        self._error: tuple[ErrorEntry, str] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse a connection above the limit, and start the timeout of the first request's head."""
        n_connections, n_of_address = len(self.connections), self._count_address(transport)
        super().connection_made(transport)
        seconds = HEAD_TIMEOUT_SECONDS
        if n_connections >= self.max_connections or n_of_address >= self.max_address_connections:
            whose = "The server" if n_connections >= self.max_connections else "Your IP address"
            message = f"{whose} has too many open connections. Close other pages and try again."
            self._error, seconds = (TOO_MANY_CONNECTIONS, message), REFUSED_SECONDS
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
        self._error = self._error or (MALFORMED_REQUEST, msg)
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
        self._error = self._error or (REQUEST_TIMEOUT, message)
        self._answer_error()

    def _answer_error(self) -> None:
        """Answer with the error unless a response has started, and end the connection."""
        assert self._error is not None
        self._is_ended = True
        entry, message = self._error
        status = HTTPStatus(entry.status or 500)
        has_begun = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if self._has_received and not has_begun:
            body = json.dumps({"error": entry.name, "message": message}).encode()
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
            reset(self.transport)
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


def _too_large() -> tuple[ErrorEntry, str]:
    limits = f"{MAX_HEAD_BYTES} bytes or {MAX_HEADER_COUNT} fields"
    message = f"The head of the request exceeds the maximum of {limits}. Delete cookies or send fewer headers."
    return HEAD_TOO_LARGE, message
