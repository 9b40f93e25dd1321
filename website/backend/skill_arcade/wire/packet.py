"""The binary frame packet of the play socket; its layout is in SPEC.md."""

import struct
from typing import NamedTuple

from skill_arcade.frames.encoder import EncodedFrame

VERSION = 1
KEYFRAME, TERMINATED, TRUNCATED, TRUE_COLOUR, LAST, PREVIEW = 1, 2, 4, 8, 16, 32
_HEAD = struct.Struct("<BBHIQdhHHHH")


def is_keyframe(packet: bytes) -> bool:
    """Return whether a frame packet depends on no earlier one."""
    return bool(packet[1] & KEYFRAME)


class FramePacket(NamedTuple):
    """One observation as the player gets it: its encoded picture, and what the page shows beside it.

    `server_us` is the time at which its step began, on the server's monotonic clock.
    """

    frame: int
    server_us: int
    encoded: EncodedFrame
    score: float = 0.0
    lives: int = -1
    terminated: bool = False
    truncated: bool = False
    is_preview: bool = False
    """It belongs to no episode yet."""
    caption: str | None = None
    """Text beside the picture, None if the game has none. It is a message of its own (rule O15), not in the bytes."""

    @property
    def is_final(self) -> bool:
        """True for the last observation of the episode."""
        return self.terminated or self.truncated

    def pack(self) -> bytes:
        """Serialize the packet."""
        key, true_colour, x, y, width, height, palette, data = self.encoded
        flags = (KEYFRAME if key else 0) | (TRUE_COLOUR if true_colour else 0) | (PREVIEW if self.is_preview else 0)
        if self.terminated:
            flags |= TERMINATED | LAST
        if self.truncated:
            flags |= TRUNCATED | LAST
        header = _HEAD.pack(
            VERSION, flags, len(palette) // 3, self.frame, self.server_us, self.score, self.lives, x, y, width, height
        )
        return b"".join((header, palette, data))

    @classmethod
    def unpack(cls, packet: bytes) -> "FramePacket":
        """Parse a packet. Raises ValueError if the bytes are not a frame packet of this version."""
        if len(packet) < _HEAD.size or packet[0] != VERSION:
            raise ValueError("not a frame packet of version 1")
        _, flags, colours, frame, server_us, score, lives, x, y, width, height = _HEAD.unpack_from(packet)
        start = _HEAD.size + 3 * colours
        palette, data = packet[_HEAD.size : start], packet[start:]
        return cls(
            frame,
            server_us,
            EncodedFrame(bool(flags & KEYFRAME), bool(flags & TRUE_COLOUR), x, y, width, height, palette, data),
            score,
            lives,
            bool(flags & TERMINATED),
            bool(flags & TRUNCATED),
            bool(flags & PREVIEW),
        )
