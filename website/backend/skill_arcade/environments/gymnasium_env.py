"""Any Gymnasium environment that renders its picture itself."""

import os
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.spaces import Discrete

from skill_arcade.environments.playable_env import StepResult
from skill_arcade.errors import UnsupportedEnvironment
from skill_arcade.exact_json import encode_value
from skill_arcade.frames.picture import Picture


class GymnasiumPlayableEnv:
    """A Gymnasium environment whose picture comes from `render` and whose observation is stored separately."""

    observes_picture = False

    def __init__(self, standard: EnvSpec, spec: dict[str, Any]) -> None:
        """Create the environment that `standard` names. `spec` is the description for re-runs."""
        # pygame then draws to memory: it needs no display and prints nothing
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
        os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        lean = replace(standard, order_enforce=False, disable_env_checker=True)
        self._env: gymnasium.Env[Any, Any] = gymnasium.make(lean, render_mode="rgb_array")
        space = self._env.action_space
        if not isinstance(space, Discrete):
            self._env.close()
            raise UnsupportedEnvironment(f"{standard.id} has the action space {space}; a game needs a Discrete one")
        self._first = int(space.start)
        self.n_actions = int(space.n)
        self.spec = spec
        self._picture: Picture | None = None

    def reset(self, seed: int) -> StepResult:
        """Start an episode."""
        self._picture = None
        observation, info = self._env.reset(seed=seed)
        return StepResult(observation, 0.0, False, False, encode_value(info))

    def step(self, action: int) -> StepResult:
        """Take one step. Action 0 is the first of the space, wherever the space starts."""
        self._picture = None
        observation, reward, terminated, truncated, info = self._env.step(self._first + action)
        return StepResult(observation, float(reward), bool(terminated), bool(truncated), encode_value(info))

    def picture(self) -> Picture:
        """Return the picture of the last reset or step; it is rendered once."""
        if self._picture is None:
            pixels = self._env.render()
            if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 3:
                raise UnsupportedEnvironment(f"{self.spec['id']} renders {type(pixels).__name__}, not an RGB picture")
            self._picture = Picture(np.ascontiguousarray(pixels))
        return self._picture

    def close(self) -> None:
        """Release the environment."""
        self._env.close()
