"""Converts true-colour pictures to palette indices while their colours fit."""

import numpy as np
from numpy.typing import NDArray

from skill_arcade.frames.picture import Picture

MAX_COLOURS = 255
"""Colours of an indexed picture; index 255 means "unchanged". A picture with more is stored as RGBA."""


class TooManyColours(Exception):
    """The pictures have more colours than a palette holds."""


class PaletteBuilder:
    """A palette that grows with the pictures. An index never changes its colour."""

    def __init__(self) -> None:
        self._given: NDArray[np.uint8] | None = None
        self._index: dict[int, int] = {}
        self._before: tuple[NDArray[np.uint32], NDArray[np.uint8]] | None = None

    def table(self) -> bytes:
        """Return the whole palette, three bytes per colour."""
        if self._given is not None:
            return self._given[:MAX_COLOURS].tobytes()
        return b"".join(colour.to_bytes(3, "big") for colour in self._index)

    def index(self, picture: Picture) -> tuple[NDArray[np.uint8], bytes]:
        """Return the indices (height, width) of a picture, and the colours that it added, three bytes each.

        The indices of a picture with a palette are its own array.

        Raises:
            TooManyColours: the colours do not fit; the palette cannot be used any more.
        """
        if picture.palette is not None:
            return self._as_given(picture.pixels, picture.palette)
        if self._given is not None:
            raise TooManyColours
        packed = _pack(picture.pixels)
        new = b""
        if self._before is None or self._before[0].shape != packed.shape:
            indices, new = self._look_up(packed.ravel())
            indices = indices.reshape(packed.shape)
        else:
            packed_before, indices_before = self._before
            changed = packed != packed_before
            indices = indices_before.copy()
            if changed.any():
                some, new = self._look_up(packed[changed])
                indices[changed] = some
        self._before = packed, indices
        return indices, new

    def _as_given(self, pixels: NDArray[np.uint8], palette: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], bytes]:
        if self._index or (
            self._given is not None and self._given is not palette and not np.array_equal(self._given, palette)
        ):
            raise TooManyColours
        self._given = palette
        if len(palette) > MAX_COLOURS and pixels.max(initial=0) >= MAX_COLOURS:
            raise TooManyColours
        return pixels, b""

    def _look_up(self, colours: NDArray[np.uint32]) -> tuple[NDArray[np.uint8], bytes]:
        unique, inverse = np.unique(colours, return_inverse=True)
        unknown = [int(colour) for colour in unique if int(colour) not in self._index]
        if len(self._index) + len(unknown) > MAX_COLOURS:
            raise TooManyColours
        for colour in unknown:
            self._index[colour] = len(self._index)
        places = np.array([self._index[int(colour)] for colour in unique], np.uint8)
        return places[inverse.ravel()], b"".join(colour.to_bytes(3, "big") for colour in unknown)


def _pack(rgb: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Convert (height, width, 3) uint8 to (height, width) 0xRRGGBB."""
    wide = rgb.astype(np.uint32)
    packed: NDArray[np.uint32] = wide[..., 0] * 65536 + wide[..., 1] * 256 + wide[..., 2]
    return packed
