"""Grey pictures at other sizes, as OpenCV and the Atari emulator compute them, with NumPy only.

OpenCV's area interpolation is repeated in the same order of float32 operations, so that results are equal bit by bit.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIZE = 84
"""Width and height of the view of an Atari agent."""
# The weights of red, green and blue in the Atari palette's grey, as in OpenCV, in units of 2**-14.
GREY_WEIGHTS = np.array([4899, 9617, 1868], np.int64)
GREY_BITS = 14


def to_grey(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the grey values of a frame, as OpenCV and the Atari emulator compute them."""
    weighted = frame.astype(np.int64) @ GREY_WEIGHTS
    grey: NDArray[np.uint8] = ((weighted + (1 << (GREY_BITS - 1))) >> GREY_BITS).astype(np.uint8)
    return grey


def resize_area(grey: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return a grey picture at another size, like `cv2.resize(..., interpolation=cv2.INTER_AREA)`."""
    rows, columns = _area_weights(grey.shape[0], size), _area_weights(grey.shape[1], size)
    across = np.zeros((grey.shape[0], size), np.float32)
    for target, source, weight in columns:
        across[:, target] += grey[:, source].astype(np.float32) * weight
    down = np.zeros((size, size), np.float32)
    for target, source, weight in rows:
        down[target] += across[source] * weight
    return np.clip(np.rint(down), 0, 255).astype(np.uint8)


@cache
def _area_weights(n_source: int, n_target: int) -> list[tuple[int, int, Any]]:
    """Return (target, source, weight) in OpenCV's order (`computeResizeAreaTab`)."""
    scale = n_source / n_target
    weights = []
    for target in range(n_target):
        start, end = target * scale, target * scale + scale
        width = min(scale, n_source - start)
        first, last = int(np.ceil(start)), min(int(np.floor(end)), n_source - 1)
        first = min(first, last)
        if first - start > 1e-3:
            weights.append((target, first - 1, np.float32((first - start) / width)))
        weights += [(target, source, np.float32(1.0 / width)) for source in range(first, last)]
        if end - last > 1e-3:
            weights.append((target, last, np.float32(min(end - last, 1.0, width) / width)))
    return weights
