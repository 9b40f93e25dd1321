"""Finds the rectangle in which two pictures differ."""

import numpy as np
from numpy.typing import NDArray


def changed_rectangle(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Return the rectangle (x, y, width, height) that contains every change between two pictures of equal size.

    Its sides may be up to 7 bytes too wide, because eight bytes are compared at once if the rows allow it. All values
    are zero if nothing changed.
    """
    # most pictures of an idle game are unchanged, and comparing bytes is fastest
    if before.tobytes() == after.tobytes():
        return 0, 0, 0, 0
    height, width = before.shape[:2]
    depth = 1 if before.ndim == 2 else before.shape[2]
    a, b = before.reshape(height, width * depth), after.reshape(height, width * depth)
    unit = 8 if (width * depth) % 8 == 0 and a.flags.c_contiguous and b.flags.c_contiguous else 1
    places = np.flatnonzero((a.view(np.uint64) ^ b.view(np.uint64)) if unit == 8 else (a != b))
    across = width * depth // unit
    top, bottom = int(places[0]) // across, int(places[-1]) // across + 1
    columns = places % across
    left = int(columns.min()) * unit // depth
    right = -(-(int(columns.max()) + 1) * unit // depth)
    return left, top, right - left, bottom - top
