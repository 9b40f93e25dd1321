"""The binary frame packet of the play socket; its layout is in SPEC.md."""

import struct
from typing import NamedTuple

VERSION = 1
KEYFRAME, TERMINATED, TRUNCATED, TRUE_COLOUR, LAST, PREVIEW = 1, 2, 4, 8, 16, 32
_HEAD = struct.Struct("<BBHIQdhHHHH")


class FramePacket(NamedTuple):
    """The encoded picture of one observation, with the score and lives that the page shows beside it."""

    flags: int
    frame: int
    server_us: int
    score: float
    lives: int
    x: int
    y: int
    width: int
    height: int
    palette: bytes
    data: bytes

    def pack(self) -> bytes:
        """Serialize the packet."""
        header = _HEAD.pack(
            VERSION,
            self.flags,
            len(self.palette) // 3,
            self.frame,
            self.server_us,
            self.score,
            self.lives,
            self.x,
            self.y,
            self.width,
            self.height,
        )
        return b"".join((header, self.palette, self.data))

    @classmethod
    def unpack(cls, packet: bytes) -> "FramePacket":
        """Parse a packet. Raises ValueError if the bytes are not a frame packet of this version."""
        if len(packet) < _HEAD.size or packet[0] != VERSION:
            raise ValueError("not a frame packet of version 1")
        _, flags, colours, frame, server_us, score, lives, x, y, width, height = _HEAD.unpack_from(packet)
        start = _HEAD.size + 3 * colours
        return cls(
            flags,
            frame,
            server_us,
            score,
            lives,
            x,
            y,
            width,
            height,
            packet[_HEAD.size : start],
            packet[start:],
        )
