"""Environments with actions of several parts: `tests.support.button_env:Console/{Kind}-v0`."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

SPACES: dict[str, spaces.Space[Any]] = {
    # stable-retro: one button for each key of a pad
    "MultiBinary": spaces.MultiBinary(12),
    "MultiDiscrete": spaces.MultiDiscrete([3, 3, 2]),
    "Tuple": spaces.Tuple((spaces.Discrete(3, start=-1), spaces.MultiBinary(2))),
    # ViZDoom: buttons beside a mouse
    "Dict": spaces.Dict({"binary": spaces.MultiBinary(3), "continuous": spaces.Box(-180, 180, (2,), np.float32)}),
    "Box": spaces.Box(-1, 1, (2,), np.float32),
}


class ButtonEnv(gymnasium.Env[Any, Any]):
    """An environment that shows and returns the action it was given."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012  (declared like this in Gymnasium)

    def __init__(self, kind: str, render_mode: str | None = None) -> None:
        self.render_mode, self.n = render_mode, 0
        self.action_space = SPACES[kind]
        self.observation_space = spaces.Box(0, 99, (), np.int64)
        self.taken: list[Any] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.n, self.taken = 0, []
        return np.int64(0), {}

    def step(self, action: Any) -> Any:
        assert self.action_space.contains(action), action
        self.n += 1
        self.taken.append(action)
        return np.int64(self.n), 1.0, self.n >= 30, False, {"given": action}

    def render(self) -> Any:
        picture = np.zeros((20, 40, 3), np.uint8)
        picture[:, : self.n + 1] = 200
        return picture


for _kind in SPACES:
    if (_id := f"Console/{_kind}-v0") not in gymnasium.registry:
        gymnasium.register(_id, entry_point=f"{__name__}:ButtonEnv", kwargs={"kind": _kind})
