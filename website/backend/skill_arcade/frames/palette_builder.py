"""Converts true-colour pictures to palette indices while their colours fit."""

import numpy as np
from numpy.typing import NDArray

from skill_arcade.frames.change import changed_rectangle
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
        self._before: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None
        """Copy of the picture before, and its indices."""

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
        pixels = picture.pixels
        if self._before is None or self._before[0].shape != pixels.shape:
            indices, new = self._look_up(pixels)
            self._before = pixels.copy(), indices
            return indices, new
        before, indices = self._before
        x, y, width, height = changed_rectangle(before, pixels)
        if not width:
            return indices, b""
        part = np.s_[y : y + height, x : x + width]
        indices = indices.copy()
        indices[part], new = self._look_up(pixels[part])
        before[part] = pixels[part]
        self._before = before, indices
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

    def _look_up(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], bytes]:
        """Return the indices of RGB pixels, (height, width, 3) to (height, width), and the colours that they add."""
        colours = _pack(pixels).ravel()
        # Sorting one pixel of each run of equal ones is far faster than sorting all.
        starts = np.flatnonzero(np.concatenate(([True], colours[1:] != colours[:-1])))
        unique, inverse = np.unique(colours[starts], return_inverse=True)
        unknown = [int(colour) for colour in unique if int(colour) not in self._index]
        if len(self._index) + len(unknown) > MAX_COLOURS:
            raise TooManyColours
        for colour in unknown:
            self._index[colour] = len(self._index)
        places = np.array([self._index[int(colour)] for colour in unique], np.uint8)
        lengths = np.diff(starts, append=len(colours))
        indices = np.repeat(places[inverse], lengths).reshape(pixels.shape[:2])
        return indices, b"".join(colour.to_bytes(3, "big") for colour in unknown)


def _pack(rgb: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Convert (height, width, 3) uint8 to (height, width) 0xRRGGBB."""
    packed = np.zeros((*rgb.shape[:2], 4), np.uint8)
    packed[..., :3] = rgb[..., ::-1]
    return packed.view("<u4")[..., 0]
