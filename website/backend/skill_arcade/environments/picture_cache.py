"""Keeps the pictures of environments that draw few distinct ones."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import gymnasium
from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv

from skill_arcade.frames.picture import Picture

MAX_BYTES = 1 << 24
"""Size of the pictures that are kept of one environment; the least recently used ones are dropped."""

_STATES: dict[type, Callable[[Any], Hashable]] = {FrozenLakeEnv: lambda env: int(env.s)}
"""State on which the picture depends, and on nothing else, by class.

Frozen Lake blends 16 tiles for each picture, in 0.9 ms, and has as many pictures as fields.
"""


class PictureCache:
    """Pictures of one environment by its state."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        """`env` must be drawn by its own `render`, without wrappers that change the picture."""
        self._env = env.unwrapped
        self._read_state = _STATES.get(type(self._env))
        self._pictures: OrderedDict[Hashable, Picture] = OrderedDict()
        self._n_bytes = 0

    def find(self) -> Picture | None:
        """Return the picture of the present state, or None if it is not kept."""
        if self._read_state is None:
            return None
        state = self._read_state(self._env)
        if state in self._pictures:
            self._pictures.move_to_end(state)
        return self._pictures.get(state)

    def add(self, picture: Picture) -> None:
        """Keep the picture of the present state, whose array nobody changes."""
        if self._read_state is None:
            return
        self._pictures[self._read_state(self._env)] = picture
        self._n_bytes += picture.pixels.nbytes
        while self._n_bytes > MAX_BYTES:
            _, oldest = self._pictures.popitem(last=False)
            self._n_bytes -= oldest.pixels.nbytes
