"""Converts true-colour pictures to palette indices while their colours fit."""

import numpy as np
from numpy.typing import NDArray

MAX_COLOURS = 255
"""Colours of an indexed picture; index 255 means "unchanged". A picture with more is stored as RGBA."""


class TooManyColours(Exception):
    """The pictures have more colours than a palette holds."""


class PaletteBuilder:
    """A palette that grows with the pictures, or that the pictures give. An index never changes its colour."""

    def __init__(self) -> None:
        self._given: NDArray[np.uint8] | None = None
        self._colours: list[int] = []
        # The same colours sorted, and the index of each.
        self._sorted = np.empty(0, np.uint32)
        self._indices = np.empty(0, np.uint8)

    def table(self) -> bytes:
        """Return the whole palette, three bytes per colour."""
        return _to_bytes(self._colours) if self._given is None else self._given[:MAX_COLOURS].tobytes()

    def use(self, palette: NDArray[np.uint8], pixels: NDArray[np.uint8]) -> None:
        """Use the palette that a picture brings; `pixels` are its indices.

        Raises:
            TooManyColours: it is not the palette of the pictures before, or a pixel has index 255.
        """
        if self._colours or (
            self._given is not None and self._given is not palette and not np.array_equal(self._given, palette)
        ):
            raise TooManyColours
        self._given = palette
        if len(palette) > MAX_COLOURS and pixels.max(initial=0) >= MAX_COLOURS:
            raise TooManyColours

    def look_up(self, colours: NDArray[np.uint32]) -> tuple[NDArray[np.uint8], bytes]:
        """Return the indices of colours 0xRRGGBB, shape (n,), and the colours that they add, three bytes each.

        Raises:
            TooManyColours: the colours do not fit; the palette cannot be used any more.
        """
        if self._given is not None:
            raise TooManyColours
        # Looking up one pixel of each run of equal ones is far faster than looking up all.
        starts = np.flatnonzero(np.concatenate(([True], colours[1:] != colours[:-1])))
        runs = colours[starts]
        places, is_known = self._find(runs)
        new: list[int] = []
        if not is_known.all():
            new = np.unique(runs[~is_known]).tolist()
            self._add(new)
            places, _ = self._find(runs)
        return np.repeat(self._indices[places], np.diff(starts, append=len(colours))), _to_bytes(new)

    def _find(self, colours: NDArray[np.uint32]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Return the place of each colour among the sorted ones, and whether it is there."""
        if not len(self._sorted):
            return np.zeros(len(colours), np.intp), np.zeros(len(colours), bool)
        places = np.searchsorted(self._sorted, colours)
        places[places == len(self._sorted)] = 0
        return places, self._sorted[places] == colours

    def _add(self, colours: list[int]) -> None:
        self._colours += colours
        if len(self._colours) > MAX_COLOURS:
            raise TooManyColours
        known = np.array(self._colours, np.uint32)
        order = known.argsort()
        self._sorted, self._indices = known[order], order.astype(np.uint8)


def _to_bytes(colours: list[int]) -> bytes:
    return b"".join(colour.to_bytes(3, "big") for colour in colours)
