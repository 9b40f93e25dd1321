"""The binary sound packet of the play socket; SPEC.md has its layout."""

import struct
import zlib
from typing import NamedTuple

SOUND = 2
"""First byte of a sound packet; a frame packet begins with its version, 1."""
_HEAD = struct.Struct("<BBHI")
_LEVEL = 1


class SoundPacket(NamedTuple):
    """What a step sounds like: unsigned samples of one byte, evenly over the time of the step."""

    frame: int
    samples: bytes

    def pack(self) -> bytes:
        """To bytes. Samples that are all the same, as silence is, are told by one."""
        samples = self.samples
        same = samples.count(samples[:1]) == len(samples)
        return _HEAD.pack(SOUND, same, len(samples), self.frame) + (
            samples[:1] if same else zlib.compress(samples, _LEVEL)
        )

    @classmethod
    def unpack(cls, packet: bytes) -> "SoundPacket":
        """From bytes. Raises ValueError when it is not such a packet."""
        if len(packet) <= _HEAD.size or packet[0] != SOUND:
            raise ValueError("not a sound packet")
        _, same, length, frame = _HEAD.unpack_from(packet)
        data = packet[_HEAD.size :]
        samples = data * length if same else zlib.decompress(data)
        if len(samples) != length:
            raise ValueError("a sound packet with other samples than it says")
        return cls(frame, samples)
