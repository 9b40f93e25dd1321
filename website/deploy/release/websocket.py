"""A minimal blocking WebSocket client (RFC 6455) for the smoke test, without extensions."""

import base64
import hashlib
import os
import socket
import ssl
import struct
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from release.errors import UserFacingError

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MAX_MESSAGE_BYTES = 16 * 2**20


class ConnectionClosedError(UserFacingError):
    """The server closed the connection with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"the server closed the connection: code={code} reason={reason!r}")
        self.code = code


class HandshakeRejectedError(UserFacingError):
    """The server rejected the handshake with this HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the server rejected the WebSocket: HTTP {status}")
        self.status = status


class WebSocket:
    """A blocking connection. Every operation raises `UserFacingError` after `timeout` seconds."""

    def __init__(
        self, url: str, *, origin: str | None = None, protocols: tuple[str, ...] = (), timeout: float = 20
    ) -> None:
        parts = urlsplit(url)
        host, secure = parts.hostname or "", parts.scheme in ("https", "wss")
        try:
            raw = socket.create_connection((host, parts.port or (443 if secure else 80)), timeout)
            self._socket = ssl.create_default_context().wrap_socket(raw, server_hostname=host) if secure else raw
        except OSError as error:
            raise UserFacingError(f"cannot connect to {parts.netloc}: {error}") from error
        self._stream = self._socket.makefile("rb")
        try:
            self._perform_handshake(parts.netloc, f"{parts.path}?{parts.query}", origin, protocols)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection without a closing handshake."""
        self._stream.close()
        self._socket.close()

    def send_text(self, text: str) -> None:
        """Send one text message."""
        self._send_frame(TEXT, text.encode())

    def receive(self) -> str | bytes:
        """Return the next complete message. Answers pings meanwhile. Raises `ConnectionClosedError`."""
        parts: list[bytes] = []
        kind = TEXT
        while True:
            final, opcode, payload = self._receive_frame()
            if opcode == PING:
                self._send_frame(PONG, payload)
            elif opcode == CLOSE:
                code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
                raise ConnectionClosedError(code, payload[2:].decode(errors="replace"))
            elif opcode != PONG:
                kind = kind if opcode == CONTINUATION else opcode
                parts.append(payload)
                if final:
                    whole = b"".join(parts)
                    return whole.decode() if kind == TEXT else whole

    def _perform_handshake(self, host: str, target: str, origin: str | None, protocols: tuple[str, ...]) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {target} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
        lines += [f"Origin: {origin}"] if origin else []
        lines += [f"Sec-WebSocket-Protocol: {', '.join(protocols)}"] if protocols else []
        self._write("\r\n".join([*lines, "", ""]).encode())
        status = self._read_line().split(" ")
        headers: dict[str, str] = {}
        while line := self._read_line():
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        if status[1:2] != ["101"]:
            raise HandshakeRejectedError(int(status[1]) if status[1:2] and status[1].isdecimal() else 0)
        expected = base64.b64encode(
            hashlib.sha1((key + ACCEPT_SUFFIX).encode(), usedforsecurity=False).digest()
        ).decode()
        if headers.get("sec-websocket-accept") != expected:
            raise UserFacingError("the peer is not a WebSocket server: its Sec-WebSocket-Accept is wrong")

    def _send_frame(self, opcode: int, payload: bytes) -> None:
        mask = os.urandom(4)
        size = len(payload)
        if size < 126:
            head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
        elif size < 2**16:
            head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
        self._write(head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload)))

    def _receive_frame(self) -> tuple[bool, int, bytes]:
        first, second = self._read(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self._read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._read(8))
        if second & 0x80 or first & 0x70 or size > MAX_MESSAGE_BYTES:
            raise UserFacingError("the server sent an invalid frame")
        return bool(first & 0x80), first & 0x0F, self._read(size)

    def _read_line(self) -> str:
        try:
            return self._stream.readline(65_536).decode("latin-1").rstrip("\r\n")
        except OSError as error:
            raise UserFacingError(f"timeout: no data from the server: {error}") from error

    def _read(self, size: int) -> bytes:
        try:
            data = self._stream.read(size)
        except OSError as error:
            raise UserFacingError(f"timeout: no data from the server: {error}") from error
        if data is None or len(data) < size:
            raise ConnectionClosedError(1006, "no close frame")
        return data

    def _write(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise UserFacingError(f"cannot send to the server: {error}") from error
