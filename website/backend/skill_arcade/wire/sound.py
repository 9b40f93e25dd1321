"""The binary sound packet of the play socket; its layout is in SPEC.md."""

import struct
import zlib
from typing import NamedTuple

SOUND = 2
"""First byte of a sound packet. A frame packet begins with its version, 1."""
_HEAD = struct.Struct("<BBHI")
_LEVEL = 1


class SoundPacket(NamedTuple):
    """The sound of a step: unsigned 8-bit mono samples, spread evenly over the duration of the step."""

    frame: int
    samples: bytes

    def pack(self) -> bytes:
        """Serialize the packet. If all samples are equal, as in silence, only one is sent."""
        samples = self.samples
        is_constant = samples.count(samples[:1]) == len(samples)
        return _HEAD.pack(SOUND, is_constant, len(samples), self.frame) + (
            samples[:1] if is_constant else zlib.compress(samples, _LEVEL)
        )

    @classmethod
    def unpack(cls, packet: bytes) -> "SoundPacket":
        """Parse a packet. Raises ValueError if the bytes are not a sound packet."""
        if len(packet) <= _HEAD.size or packet[0] != SOUND:
            raise ValueError("not a sound packet")
        _, is_constant, length, frame = _HEAD.unpack_from(packet)
        data = packet[_HEAD.size :]
        samples = data * length if is_constant else zlib.decompress(data)
        if len(samples) != length:
            raise ValueError("sound packet has a wrong number of samples")
        return cls(frame, samples)
