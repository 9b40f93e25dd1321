"""A picture of an environment."""

import hashlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Picture(NamedTuple):
    """Pixels in one of three forms.

    * (height, width) uint8 with a palette (n <= 256, 3) uint8;
    * (height, width, 3) uint8;
    * (height, width) uint32, 0xRRGGBB.
    """

    pixels: NDArray[Any]
    palette: NDArray[np.uint8] | None = None

    def rgb(self) -> NDArray[np.uint8]:
        """Return the picture as (height, width, 3) uint8."""
        if self.palette is not None:
            return self.palette.take(self.pixels, axis=0)  # four times as fast as an index array
        return unpack_colours(self.pixels) if self.pixels.ndim == 2 else self.pixels

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


def pack_colours(pixels: NDArray[Any]) -> NDArray[np.uint32]:
    """Return pixels without a palette as (height, width) 0xRRGGBB."""
    if pixels.ndim == 2:
        return pixels
    packed = np.zeros((*pixels.shape[:2], 4), np.uint8)
    packed[..., :3] = pixels[..., ::-1]
    colours: NDArray[np.uint32] = packed.view("<u4")[..., 0]
    return colours


def unpack_colours(colours: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Return (height, width) 0xRRGGBB as (height, width, 3) uint8."""
    return np.ascontiguousarray(colours.astype("<u4", copy=False)[..., np.newaxis].view(np.uint8)[..., 2::-1])


def digest_picture(picture: Picture) -> str:
    """Return the SHA-256 of a picture's size and colours, in hexadecimal. Equal pictures have the same."""
    pixels = np.ascontiguousarray(picture.rgb())
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()
