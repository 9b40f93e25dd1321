"""The standard view of Atari agents, live: 84 by 84 grey, one action for 4 frames, 4 views."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skill_arcade.agents.policy import Policy
from skill_arcade.frames.grey import SIZE, resize_area, to_grey

SKIP = 4
STACK = 4


class AtariViewPolicy(Policy):
    """Shows a policy what Gymnasium's `AtariPreprocessing(noop_max=0)` and `FrameStackObservation(4)` show.

    The policy gets (4, 84, 84) uint8, oldest first, and chooses once in 4 frames; the action holds in between. If the
    game goes on without waiting, frames may be missing, and each choice is for the newest one.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._views: list[NDArray[np.uint8]] = []
        self._before: NDArray[np.uint8] | None = None
        self._chosen_at, self._action = 0, 0

    def start(self, seed: int) -> None:
        """Begin an episode."""
        self._policy.start(seed)
        self._views, self._before, self._chosen_at = [], None, 0

    def choose(self, observation: Any, info: dict[str, Any]) -> int:
        """Look at the picture, (height, width, 3) uint8, and act."""
        elapsed = int(info["arcade"]["frame"]) - self._chosen_at
        if self._views and elapsed < SKIP:
            if elapsed == SKIP - 1:
                self._before = to_grey(observation)
            return self._action
        grey = to_grey(observation)
        if self._before is not None:
            grey = np.maximum(grey, self._before)
        view = resize_area(grey, SIZE)
        self._views = [*self._views[1:], view] if self._views else [view] * STACK
        self._before, self._chosen_at = None, int(info["arcade"]["frame"])
        self._action = self._policy.choose(np.stack(self._views), info)
        return self._action
