"""The standard view of an Atari agent, from recorded frames: 84 by 84 grey, skip 4, stack 4.

The result equals that of Gymnasium's `AtariPreprocessing(noop_max=0)` and `FrameStackObservation`, bit by bit. It needs
NumPy only.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from skill_arcade.frames.grey import SIZE, resize_area, to_grey

SKIP = 4
STACK = 4


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
