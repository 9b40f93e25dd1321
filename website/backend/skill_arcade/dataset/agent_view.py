"""The standard view of an Atari agent, from recorded frames: 84 by 84 grey, skip 4, stack 4.

The result equals that of Gymnasium's `AtariPreprocessing(noop_max=0)` and `FrameStackObservation`, bit by bit. It needs
NumPy only; OpenCV's area interpolation is repeated here in the same order of float32 operations.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

SKIP = 4
STACK = 4
SIZE = 84
# The weights of red, green and blue in the Atari palette's grey, as in OpenCV, in units of 2**-14.
GREY_WEIGHTS = np.array([4899, 9617, 1868], np.int64)
GREY_BITS = 14


def agent_view(
    frames: Iterable[NDArray[np.uint8]], *, skip: int = SKIP, stack: int = STACK, size: int = SIZE
) -> NDArray[np.uint8]:
    """Return what an agent would have seen, shape (n, stack, size, size).

    View 0 is that of the reset; view k follows the agent's step k, which is `skip` steps of the recording. A last step
    that the end of the episode cut short repeats the previous pictures, as the wrapper does.

    Args:
        frames: all T + 1 frames of an episode, (height, width, 3), such as `episode.frames`.
        skip: number of frames per step of the agent.
        stack: number of views that are stacked, oldest first.
        size: width and height.
    """
    views: list[NDArray[np.uint8]] = []
    newest: NDArray[np.uint8] | None = None
    older: NDArray[np.uint8] | None = None
    count = 0
    for count, frame in enumerate(frames):
        place = (count - 1) % skip
        if newest is None:
            newest, older = to_grey(frame), np.zeros(frame.shape[:2], np.uint8)
            views.append(resize_area(newest, size))
            continue
        if place == skip - 2:
            older = to_grey(frame)
        elif place == skip - 1:
            newest = to_grey(frame)
        if place == skip - 1:
            assert older is not None
            newest = np.maximum(newest, older) if skip > 1 else newest
            views.append(resize_area(newest, size))
    if newest is not None and count % skip:
        assert older is not None
        views.append(resize_area(np.maximum(newest, older) if skip > 1 else newest, size))
    stacked = [[views[max(index - back, 0)] for back in reversed(range(stack))] for index in range(len(views))]
    return np.array(stacked, np.uint8)


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
