"""Discretizes continuous actions: a few evenly spaced levels of each axis, end points included."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray


class DiscretizedActionEnv(gymnasium.Env[Any, Any]):
    """An environment with a vector of actions, played with numbered actions.

    Gymnasium's wrapper `DiscretizeAction` uses the centres of bins; this one includes the end points.

    **Action**: `Discrete(levels ** axes)`. Its digits in base `levels`, first axis first, are the level of each axis:
    `low + (high - low) * digit / (levels - 1)`, as float32. With an odd number of levels one of them is the middle. The
    applied vector is in `info["vector"]`; everything else is the other environment's own.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012  (declared like this in Gymnasium)

    def __init__(self, of: str, levels: int = 3, render_mode: str | None = None) -> None:
        """Create the environment with the id `of`.

        Raises:
            ValueError: its action space is no bounded vector.
        """
        self._env: gymnasium.Env[Any, Any] = gymnasium.make(of, render_mode=render_mode, disable_env_checker=True)
        box = self._env.action_space
        if not isinstance(box, spaces.Box) or len(box.shape) != 1 or not box.is_bounded():
            self._env.close()
            raise ValueError(f"{of} has the action space {box}; levels need a bounded vector")
        self._dtype = box.dtype
        if levels < 2:
            raise ValueError("levels: an axis has two at least")
        self._low, self._high, self._levels = box.low.astype(float), box.high.astype(float), levels
        self.action_space = spaces.Discrete(levels ** box.shape[0])
        self.observation_space = self._env.observation_space
        self.metadata = self._env.metadata
        self.render_mode = render_mode

    def vector(self, action: int) -> NDArray[Any]:
        """Return the vector of an action, shape (axes,): float32, or the space's dtype if that is an integer."""
        digits = np.array(np.unravel_index(int(action), (self._levels,) * len(self._low)), float)
        level: NDArray[Any] = self._low + (self._high - self._low) * digits / (self._levels - 1)
        return level.round().astype(self._dtype) if np.issubdtype(self._dtype, np.integer) else level.astype(np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        return self._env.reset(seed=seed, options=options)

    def step(self, action: int) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        vector = self.vector(action)
        observation, reward, terminated, truncated, info = self._env.step(vector)
        return observation, reward, terminated, truncated, {**info, "vector": vector.tolist()}

    def render(self) -> Any:
        return self._env.render()

    def close(self) -> None:
        self._env.close()
