"""Writes packets from the server's encoder, each followed by the picture that it must decode to.

Standard output has one case after the other: u32 length and packet, u32 length and RGB bytes, little-endian.
"""

import struct
import sys

import numpy as np

from skill_arcade.frames.encoder import Encoder
from skill_arcade.frames.picture import Picture
from skill_arcade.wire.packet import FramePacket

rng = np.random.default_rng(20261122)


def moving_blocks(frames: int) -> list[Picture]:
    """Return pictures with few colours and few changes per frame, sometimes none; some frames add colours."""
    pixels = np.zeros((30, 41, 3), np.uint8)
    pictures = []
    for number in range(frames):
        if number % 5 != 4:
            y, x = rng.integers(0, 25), rng.integers(0, 33)
            pixels = pixels.copy()
            pixels[y : y + 5, x : x + 8] = (number * 7 % 256, 40, 255 - number)
        pictures.append(Picture(pixels))
    return pictures


def given_palette(frames: int) -> list[Picture]:
    """Return indexed pictures with a palette of the environment."""
    palette = rng.integers(0, 256, (255, 3)).astype(np.uint8)
    pixels = rng.integers(0, 255, (frames, 16, 16)).astype(np.uint8)
    return [Picture(picture, palette) for picture in pixels]


def many_colours(frames: int) -> list[Picture]:
    """Return pictures with few colours, then more than a palette holds: the encoder changes to true colour."""
    plain = np.full((20, 24, 3), 9, np.uint8)
    noise = rng.integers(0, 256, (frames, 20, 24, 3)).astype(np.uint8)
    noise[1:, :12] = noise[0, :12]
    return [Picture(plain), *(Picture(picture) for picture in noise)]


def write_case(pictures: list[Picture], keys: tuple[int, ...] = ()) -> None:
    """Write a stream of pictures. `keys` are the frames for which a keyframe is requested."""
    encoder = Encoder()
    for number, picture in enumerate(pictures):
        frame = encoder.encode(picture, key=number in keys)
        last = number == len(pictures) - 1
        packet = FramePacket(number, 2**40 + number, frame, number / 4, number - 1, terminated=last).pack()
        for part in (packet, picture.rgb().tobytes()):
            sys.stdout.buffer.write(struct.pack("<I", len(part)) + part)


write_case(moving_blocks(40), keys=(13,))
write_case(given_palette(6), keys=(3,))
write_case(many_colours(5), keys=(4,))
