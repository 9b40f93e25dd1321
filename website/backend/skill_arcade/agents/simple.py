"""Baselines that look at nothing."""

from typing import Any

import numpy as np

from skill_arcade.agents.policy import Policy


class RandomPolicy(Policy):
    """Draws each action with equal chance. The seed of the episode decides what it draws."""

    def __init__(self, n_actions: int) -> None:
        self._n_actions = n_actions
        self._random = np.random.default_rng(0)

    def start(self, seed: int) -> None:
        """Begin an episode."""
        self._random = np.random.default_rng(seed)

    def choose(self, observation: Any, info: dict[str, Any]) -> int:
        """Draw an action."""
        return int(self._random.integers(self._n_actions))


class NoopPolicy(Policy):
    """Touches nothing."""

    def __init__(self, noop: int) -> None:
        self._noop = noop

    def start(self, seed: int) -> None:
        """Begin an episode."""

    def choose(self, observation: Any, info: dict[str, Any]) -> int:
        """Return the action of no control."""
        return self._noop
