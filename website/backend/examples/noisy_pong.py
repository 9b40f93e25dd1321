"""An expert to learn Pong from: it follows the ball, and its hand slips at times.

Pong without noise is the same episode each time, and a clone of it knows no way back from its own errors. Episodes in
which the expert is disturbed show one (noise injection: Laskey et al. 2017, arXiv:1703.09327).

PYTHONPATH=examples skill-arcade agents add noisy_pong:NoisyPong --name noisy-pong --game pong --licence MIT
"""

from typing import Any

import numpy as np

from skill_arcade.agents.policy import Policy
from skill_arcade.agents.pong import BALL, BOTTOM, DOWN, NOTHING, PADDLE, SERVE, SLACK, TOP, UP, find_middle

AIM = 5.0
"""Rows below the ball at which the paddle's middle is held: the ball comes back at an angle."""
SLIP_PROBABILITY = 0.005
"""Probability that a slip begins at a step."""
SLIP_STEPS = (4, 12)
"""Least number of steps that a slip lasts, and the first that it does not: one random action is done in them."""


class NoisyPong(Policy):
    """Sees only the picture, so that all that it does can be learned from pictures, but for its slips."""

    def __init__(self, n_actions: int) -> None:
        self._n_actions = n_actions
        self._random = np.random.default_rng(0)
        self._slip, self._slip_steps = 0, 0

    def start(self, seed: int) -> None:
        """Begin an episode."""
        self._random, self._slip_steps = np.random.default_rng(seed), 0

    def choose(self, observation: Any, info: dict[str, Any]) -> int:
        """Look at the picture, (210, 160, 3) uint8."""
        if self._slip_steps == 0 and self._random.random() < SLIP_PROBABILITY:
            self._slip = int(self._random.integers(self._n_actions))
            self._slip_steps = int(self._random.integers(*SLIP_STEPS))
        if self._slip_steps == 0:
            return follow(observation)
        self._slip_steps -= 1
        return self._slip


def follow(observation: Any) -> int:
    """Return the action that keeps the paddle near the height of the ball."""
    court = observation[TOP:BOTTOM]
    ball, paddle = find_middle(court, BALL), find_middle(court, PADDLE)
    if ball is None or paddle is None:
        return SERVE
    distance = ball[0] + AIM - paddle[0]
    if abs(distance) <= SLACK:
        return NOTHING
    return UP if distance < 0 else DOWN
