"""Messages between the server and a game process: length, kind and payload over a Unix socket pair."""

import struct
from collections.abc import Iterator
from enum import IntEnum

HEADER = struct.Struct("<IB")
RECEIVED_TIME = struct.Struct("<Q")
LATE_COUNTS = struct.Struct("<III")
WATCHER_COUNT = struct.Struct("<I")


LATE_STEP_US = 5000
"""Lateness from which a step counts as late. Less is not seen: a display shows a frame for 16,667 us."""


class ToGame(IntEnum):
    """Messages from the server to a game."""

    ASSIGN = 1
    """JSON of a `play.assignment.GameAssignment`: start this player's session."""
    ATTACH = 2
    """JSON of the `wire.messages.Hello` of a client that has connected. The server has checked it."""
    DETACH = 3
    """The client has disconnected."""
    MESSAGE = 4
    """u64 time of arrival (CLOCK_MONOTONIC, microseconds), then the text message of the page."""
    STOP = 5
    """End the episode and the session; the payload is the reason."""
    PING = 7
    """Answer with PONG. A game that does not is hung."""
    WATCH_KEYFRAME = 8
    """Encode the next frame as a keyframe, for watchers."""
    WATCHERS = 9
    """u32: the number of watchers from now on."""
    HAND_OVER = 10
    """End the session as STOP does, but leave its episode to another server if that is possible (rule R26)."""
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
    """Three u32 about the steps since the last such message: the greatest lateness in microseconds, the number of
    steps with a deadline, and the number of those that were late by more than `LATE_STEP_US`.
    """
    PONG = 7
    """Reply to PING."""
    WATCH_SCENE = 8
    """A text message for the watchers. An empty payload means that nobody may watch any more."""
    WATCH_FRAME = 9
    """A frame packet for the watchers."""
    NOT_RESUMED = 11
    """The episode of another server in the assignment cannot be continued; the session begins without it."""
    HANDED_OVER = 10
    """Reply to HAND_OVER: the id of the episode that another server can continue, in ASCII. It is sealed."""
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
