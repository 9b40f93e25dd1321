"""Any Gymnasium environment that renders its picture itself."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec
from gymnasium.spaces import Discrete

from skill_arcade.environments.changing_leaves import find_changing_leaves
from skill_arcade.environments.environment_calls import environment_call
from skill_arcade.environments.picture_cache import PictureCache
from skill_arcade.environments.playable_env import StepResult
from skill_arcade.environments.positions import Position, read_grid_position
from skill_arcade.environments.pygame_surface import draws_on_surface, render_surface
from skill_arcade.environments.rendered_picture import NO_RENDERER, read_picture
from skill_arcade.environments.step_values import read_reset, read_step
from skill_arcade.errors import EnvironmentFailed, UnsupportedEnvironment
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
        self._lean = replace(standard, order_enforce=False, disable_env_checker=True)
        self._env = self.make_again()
        space = self._env.action_space
        if not isinstance(space, Discrete):
            self._env.close()
            raise UnsupportedEnvironment(
                f"{standard.id} has the action space {space}; a game needs a Discrete one, or `buttons` in its manifest"
            )
        self.observation_space = self._env.observation_space
        self.changing_leaves = find_changing_leaves(self.observation_space)
        self._first = int(space.start)
        self.n_actions = int(space.n)
        self.spec = spec
        self._picture: Picture | None = None
        self._is_rendered = False
        self._draws_on_surface = draws_on_surface(self._env)
        self._cache = PictureCache(self._env)

    def make_again(self) -> gymnasium.Env[Any, Any]:
        """Make a new instance of the environment itself, without anything of this class."""
        return gymnasium.make(self._lean, render_mode="rgb_array")

    def reset(self, seed: int) -> StepResult:
        """Start an episode.

        Raises:
            EnvironmentFailed: the environment raised an exception or returned what cannot be recorded; so do `step`,
                `picture` and `close`.
        """
        self._picture, self._is_rendered = None, False
        with self._call("reset"):
            returned = self._env.reset(seed=seed)
        with self._reading():
            return read_reset(returned)

    def step(self, action: int) -> StepResult:
        """Take one step. Action 0 is the first of the space, wherever the space starts."""
        self._is_rendered = False
        with self._call("step"):
            returned = self._env.step(self._first + action)
        with self._reading():
            return read_step(returned)

    def picture(self) -> Picture:
        """Return the picture of the last reset or step; it is rendered once.

        If nothing is rendered after a step, the picture stays.
        """
        if not self._is_rendered:
            self._picture, self._is_rendered = self._render(), True
        assert self._picture is not None
        return self._picture

    def _render(self) -> Picture:
        if self._draws_on_surface:
            if (kept := self._cache.find()) is not None:
                return kept
            with self._call("render"):
                colours = render_surface(self._env)
            if colours is not None:
                picture = Picture(colours)
                self._cache.add(picture)
                return picture
            self._draws_on_surface = False
        with self._call("render"):
            rendered = self._env.render()
        with self._reading():
            pixels = read_picture(rendered)
            if pixels is not None:
                return Picture(pixels)
            if self._picture is None:
                raise ValueError(f"render returned no picture after the reset; {NO_RENDERER}")
            return self._picture

    def position(self) -> Position | None:
        """Return where the agent is, or None if this environment does not tell: `TellsPosition.position`."""
        with self._call("position"):
            return read_grid_position(self.spec["id"], self._env.unwrapped)

    def close(self) -> None:
        """Release the environment."""
        with self._call("close"):
            self._env.close()

    def _call(self, name: str) -> AbstractContextManager[None]:
        return environment_call(self.spec["id"], name)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            raise EnvironmentFailed(f"{self.spec['id']}: {error}") from error
