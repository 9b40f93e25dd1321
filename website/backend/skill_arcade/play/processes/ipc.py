"""Messages between the server and a game process: length, kind and payload over a Unix socket pair."""

import struct
from collections.abc import Iterator
from enum import IntEnum

HEADER = struct.Struct("<IB")
RECEIVED_TIME = struct.Struct("<Q")


class ToGame(IntEnum):
    """Messages from the server to a game."""

    ASSIGN = 1
    """JSON of a `play.assignment.GameAssignment`: start this player's session."""
    ATTACH = 2
    """A client has connected."""
    DETACH = 3
    """The client has disconnected."""
    MESSAGE = 4
    """u64 time of arrival (CLOCK_MONOTONIC, microseconds), then the text message of the page."""
    STOP = 5
    """End the episode and the session; the payload is the reason."""
    PING = 7
    """Answer with PONG. A game that does not is hung."""
    CAPACITY_ERROR = 6
    """Why no new episode may start, as text for the player. An empty payload means that episodes may start again."""


class ToServer(IntEnum):
    """Messages from a game to the server."""

    READY = 1
    """The environment is loaded and reset."""
    TEXT = 2
    """A text message for the page."""
    FRAME = 3
    """A binary packet for the page."""
    ATTACHED = 5
    """Reply to ATTACH: all messages after it are for the client that is connected now."""
    LATE = 6
    """u32: the greatest lateness of a tick since the last such message, in microseconds."""
    PONG = 7
    """Reply to PING."""
    CLOSE = 4
    """u16 close code, then the reason: close the client's connection. The game may go on."""


def pack(kind: ToGame | ToServer, payload: bytes = b"") -> bytes:
    """Serialize a message."""
    return HEADER.pack(len(payload), kind) + payload


class MessageParser:
    """Incremental parser of a byte stream of messages."""

    def __init__(self) -> None:
        self._remainder = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield kind and payload of each message that `data` completes."""
        data = self._remainder + data if self._remainder else data
        position, end = 0, len(data)
        while position + HEADER.size <= end:
            length, kind = HEADER.unpack_from(data, position)
            start = position + HEADER.size
            if start + length > end:
                break
            position = start + length
            yield kind, data[start:position]
        self._remainder = data[position:]
