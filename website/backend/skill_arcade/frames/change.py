"""Finds the rectangle in which two pictures differ."""

import numpy as np
from numpy.typing import NDArray


def changed_rectangle(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Return the rectangle (x, y, width, height) that contains every change between two pictures of equal size.

    Its sides may be up to 7 bytes too wide, because eight bytes are compared at once if the rows allow it. All values
    are zero if nothing changed.
    """
    depth = 1 if before.ndim == 2 else before.shape[2]
    a, b = (before, after) if depth == 1 else (before.reshape(len(before), -1), after.reshape(len(after), -1))
    unit = 8 if a.shape[1] % 8 == 0 and a.flags.c_contiguous and b.flags.c_contiguous else 1
    # One byte for each eight compared, so that only the two pictures themselves pass through the CPU caches.
    rows, columns = (a.view(np.uint64) != b.view(np.uint64) if unit == 8 else a != b).nonzero()
    if not rows.size:
        return 0, 0, 0, 0
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left = int(columns.min()) * unit // depth
    right = -(-(int(columns.max()) + 1) * unit // depth)
    return left, top, right - left, bottom - top
