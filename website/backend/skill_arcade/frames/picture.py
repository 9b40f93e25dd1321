"""A picture of an environment."""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Picture(NamedTuple):
    """Pixels (height, width) with a palette (n <= 256, 3), or (height, width, 3) without one; all uint8."""

    pixels: NDArray[np.uint8]
    palette: NDArray[np.uint8] | None = None

    def rgb(self) -> NDArray[np.uint8]:
        """Return the picture as (height, width, 3) uint8."""
        return self.pixels if self.palette is None else self.palette[self.pixels]

    def equals(self, other: "Picture") -> bool:
        """Return whether every pixel has the same colour in both pictures."""
        if self.palette is not None and other.palette is not None and np.array_equal(self.pixels, other.pixels):
            # a recorded palette holds the colours so far, an environment's palette all of them
            n = min(len(self.palette), len(other.palette))
            if np.array_equal(self.palette[:n], other.palette[:n]) and self.pixels.max(initial=0) < n:
                return True
            used = np.unique(self.pixels)
            return np.array_equal(self.palette[used], other.palette[used])
        return np.array_equal(self.rgb(), other.rgb())


def digest_picture(picture: Picture) -> str:
    """Return the SHA-256 of a picture's size and colours, in hexadecimal. Equal pictures have the same."""
    pixels = np.ascontiguousarray(picture.rgb())
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()
