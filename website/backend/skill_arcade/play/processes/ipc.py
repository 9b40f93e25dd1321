"""What the server and a game process say to each other: length, kind, payload over a Unix socket pair."""

import struct
from collections.abc import Iterator
from enum import IntEnum

HEADER = struct.Struct("<IB")
RECEIVED_TIME = struct.Struct("<Q")
MOST = 1 << 20


class ToGame(IntEnum):
    """Server to game."""

    ASSIGN = 1
    """JSON of a `play.assignment.Assignment`: become this player's game."""
    ATTACH = 2
    """A socket is there."""
    DETACH = 3
    """The socket is gone."""
    MESSAGE = 4
    """u64 arrival (CLOCK_MONOTONIC, microseconds), then the page's text."""
    STOP = 5
    """End the episode; the payload is the reason."""
    CAPACITY_ERROR = 6
    """Why no new episode may start, in words; empty: it may."""


class ToServer(IntEnum):
    """Game to server."""

    READY = 1
    """The environment is made."""
    TEXT = 2
    """A text message for the page."""
    FRAME = 3
    """A frame packet for the page."""
    ATTACHED = 5
    """Answer to ATTACH: what follows is for the socket that is attached now."""
    LATE = 6
    """u32: the worst lateness of a tick since the last such message, microseconds."""
    CLOSE = 4
    """u16 close code, then the reason: close the socket; the game may live on."""


def pack(kind: ToGame | ToServer, payload: bytes = b"") -> bytes:
    """One message."""
    return HEADER.pack(len(payload), kind) + payload


class MessageParser:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Kind and payload of each message that is now whole."""
        data = self._rest + data if self._rest else data
        place, end = 0, len(data)
        while place + HEADER.size <= end:
            length, kind = HEADER.unpack_from(data, place)
            start = place + HEADER.size
            if start + length > end:
                break
            place = start + length
            yield kind, data[start:place]
        self._rest = data[place:]
