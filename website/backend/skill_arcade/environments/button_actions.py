"""Plays an environment whose action has several parts with numbered combinations of buttons."""

import copy
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from skill_arcade.games.buttons import Assignments, ButtonSketch, combine_buttons, merge_assignments

APPLIED_ACTION_KEY = "applied_action"
"""Key of `info` for the action that was applied. If the environment has this key itself, `_` is appended."""


class ButtonActionsEnv(gymnasium.Env[Any, Any]):
    """An environment with an action of several parts, played with numbered combinations of buttons.

    **Action**: `Discrete(n)`, the number of a combination as `combine_buttons` lists them; 0 is nothing. The applied
    action is in `info["applied_action"]`; everything else is the other environment's own.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012  (declared like this in Gymnasium)

    def __init__(
        self,
        of: str,
        sets: dict[str, Assignments],
        rest: Any = None,
        exclusive: Sequence[Sequence[str]] = (),
        max_held: int = 4,
        render_mode: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Create the environment with the id `of` and the arguments `kwargs`; the others are those of `Buttons`.

        Raises:
            ValueError: a combination is no action of the environment.
        """
        self._env: gymnasium.Env[Any, Any] = gymnasium.make(
            of, render_mode=render_mode, disable_env_checker=True, **kwargs
        )
        space = self._env.action_space
        held = combine_buttons(sets, exclusive, max_held)
        self._actions = [build_action(space, rest, merge_assignments(controls, sets)) for controls in held]
        for controls, action in zip(held, self._actions, strict=True):
            if not space.contains(action):
                self._env.close()
                pressed = " + ".join(controls) or "nothing"
                raise ValueError(f"buttons: {pressed} gives {action}, which is not in the action space {space}")
        self.action_space = spaces.Discrete(len(held))
        self.observation_space = self._env.observation_space
        self.metadata = self._env.metadata
        self.render_mode = render_mode

    def applied_action(self, action: int) -> Any:
        """Return the action of the other environment for the number of a combination."""
        return copy.deepcopy(self._actions[action])

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        return self._env.reset(seed=seed, options=options)

    def step(self, action: int) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        applied = self.applied_action(int(action))
        observation, reward, terminated, truncated, info = self._env.step(applied)
        key = APPLIED_ACTION_KEY
        while key in info:
            key += "_"
        return observation, reward, terminated, truncated, {**info, key: self._actions[int(action)]}

    def render(self) -> Any:
        return self._env.render()

    def close(self) -> None:
        self._env.close()


def list_buttons(space: spaces.Space[Any], names: Sequence[str | None] = (), path: str = "") -> list[ButtonSketch]:
    """Return one button for each bit, and for each value but the first of each choice, of an action space.

    `names` are the environment's own names of the bits of a MultiBinary; a bit without a name gets no button.

    Raises:
        ValueError: a part of the space cannot be played with buttons.
    """
    if isinstance(space, spaces.Dict):
        return [button for key, part in space.items() for button in list_buttons(part, names, _join(path, key))]
    if isinstance(space, spaces.Tuple):
        return [button for key, part in enumerate(space) for button in list_buttons(part, names, _join(path, key))]
    if isinstance(space, spaces.MultiBinary):
        count = int(np.prod(space.shape))
        labels = list(names) if len(names) == count else [f"Button {_join(path, bit)}" for bit in range(count)]
        places = [_join(path, "/".join(map(str, np.unravel_index(bit, space.shape)))) for bit in range(count)]
        return [ButtonSketch(label, {place: 1}) for label, place in zip(labels, places, strict=True) if label]
    if isinstance(space, spaces.MultiDiscrete) and space.nvec.ndim == 1:
        return [
            ButtonSketch(f"Part {_join(path, axis)}: {value}", {_join(path, axis): int(value)})
            for axis, (count, start) in enumerate(zip(space.nvec, space.start, strict=True))
            for value in range(start + 1, start + count)
        ]
    if isinstance(space, spaces.Discrete):
        values = range(int(space.start) + 1, int(space.start + space.n))
        return [ButtonSketch(f"Part {path}: {value}", {path: value}) for value in values]
    if isinstance(space, spaces.Box) and space.is_bounded() and len(space.shape) == 1:
        ends = zip(range(space.shape[0]), space.low.tolist(), space.high.tolist(), strict=True)
        return [
            ButtonSketch(f"Axis {_join(path, axis)}: {word}", {_join(path, axis): value})
            for axis, low, high in ends
            for word, value in (("less", low), ("more", high))
        ]
    raise ValueError(f"the part {space} of the action space cannot be played with buttons")


def _join(path: str, key: object) -> str:
    return f"{path}/{key}" if path else str(key)


def build_action(space: spaces.Space[Any], rest: Any, assignments: Assignments) -> Any:
    """Return an action of a space: `rest`, or zero in every part, with the assigned parts.

    A path is the keys of Dict and the numbers of Tuple and of arrays, joined by `/`. An array or a Discrete can be
    assigned whole.

    Raises:
        ValueError: a path does not exist in the space.
    """
    action = _restore(space, rest)
    for path, value in assignments.items():
        action = _assign(space, action, path.split("/") if path else [], value, path)
    return _freeze(space, action)


def _restore(space: spaces.Space[Any], rest: Any) -> Any:
    """Return `rest`, which is JSON or None, as a value whose parts can be assigned."""
    if isinstance(space, spaces.Dict):
        return {key: _restore(part, None if rest is None else rest[key]) for key, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return [_restore(part, None if rest is None else rest[index]) for index, part in enumerate(space.spaces)]
    if isinstance(space, spaces.Discrete):
        return int(space.start) if rest is None else rest
    if isinstance(space, spaces.Box):
        zero = np.clip(np.zeros(space.shape), space.low, space.high)
        return np.array(zero if rest is None else rest, space.dtype).reshape(space.shape)
    if isinstance(space, spaces.MultiDiscrete):
        return np.array(space.start if rest is None else rest, space.dtype)
    if isinstance(space, spaces.MultiBinary):
        return np.zeros(space.shape, space.dtype) if rest is None else np.array(rest, space.dtype)
    raise ValueError(f"buttons: the part {space} of the action space cannot be played with buttons")


def _assign(space: spaces.Space[Any], action: Any, steps: list[str], value: Any, path: str) -> Any:
    if not steps:
        return _restore(space, value)
    try:
        if isinstance(space, spaces.Dict):
            return {**action, steps[0]: _assign(space[steps[0]], action[steps[0]], steps[1:], value, path)}
        if isinstance(space, spaces.Tuple):
            index = int(steps[0])
            action[index] = _assign(space[index], action[index], steps[1:], value, path)
            return action
        action[tuple(int(step) for step in steps)] = value
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ValueError(f"buttons: the action has no part {path!r}: {error}") from error
    return action


def _freeze(space: spaces.Space[Any], action: Any) -> Any:
    """Return an action in the types that its space has."""
    if isinstance(space, spaces.Dict):
        return {key: _freeze(part, action[key]) for key, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(_freeze(part, action[index]) for index, part in enumerate(space.spaces))
    return action
