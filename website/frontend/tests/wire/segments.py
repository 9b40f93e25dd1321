"""Writes stored segments, each followed by the pictures that they must decode to.

Standard output has one case after the other: u32 length and APNG, u32 number of frames, u32 height, u32 width, RGB.
"""

import struct
import sys

import numpy as np

from skill_arcade.frames.apng import write_apng
from skill_arcade.frames.encoder import Encoder
from skill_arcade.frames.picture import Picture

rng = np.random.default_rng(20261128)
N, HEIGHT, WIDTH = 150, 30, 41


def main() -> None:
    """Write a segment with few colours, and one with more than a palette holds."""
    for n_colours in (40, 2000):
        colours = rng.integers(0, 256, (n_colours, 3), np.uint8)
        pictures = np.empty((N, HEIGHT, WIDTH, 3), np.uint8)
        pictures[0] = colours[0]
        for index in range(1, N):
            pictures[index] = pictures[index - 1]
            if index % 5:  # some frames change nothing
                y, x = rng.integers(0, 25), rng.integers(0, 33)
                pictures[index, y : y + 5, x : x + 8] = colours[rng.integers(0, n_colours, (5, 8))]
        encoder = Encoder(true_colour=n_colours > 255)
        # A keyframe within the segment, as after a client has fallen behind.
        pieces = [encoder.encode(Picture(picture), key=index in (0, 70)) for index, picture in enumerate(pictures)]
        apng = write_apng(pieces, (WIDTH, HEIGHT), [17] * N)
        sys.stdout.buffer.write(struct.pack("<I", len(apng)) + apng)
        sys.stdout.buffer.write(struct.pack("<III", N, HEIGHT, WIDTH) + pictures.tobytes())


if __name__ == "__main__":
    main()
