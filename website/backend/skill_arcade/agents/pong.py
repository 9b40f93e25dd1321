"""A player of Pong that follows the ball with its eyes: it sees only the picture."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skill_arcade.agents.policy import Policy

BALL, PADDLE = (236, 236, 236), (92, 186, 92)
"""Colours of the ball and of the player's paddle, at the right."""
TOP, BOTTOM = 34, 194
"""Rows of the picture between which is the court."""
NOTHING, SERVE, UP, DOWN = 0, 1, 2, 3
AIMS = (8.0, -6.0)
"""Rows below the ball at which the paddle's middle is held, one for each rally in turn. A ball that meets the middle
comes back the same way, so that a rally would never end."""
SLACK = 3.0
"""Rows by which the paddle may miss its aim without moving."""


class PongPolicy(Policy):
    """Keeps the paddle near the height of the ball, and serves when there is no ball."""

    def __init__(self) -> None:
        self._n_rallies = 0
        self._last_x = math.inf
        self._is_coming = False

    def start(self, seed: int) -> None:
        """Begin an episode."""
        self._n_rallies, self._last_x, self._is_coming = 0, math.inf, False

    def choose(self, observation: Any, info: dict[str, Any]) -> int:
        """Look at the picture, (210, 160, 3) uint8."""
        court = observation[TOP:BOTTOM]
        ball, paddle = find_middle(court, BALL), find_middle(court, PADDLE)
        if ball is None or paddle is None:
            return SERVE
        is_coming = ball[1] > self._last_x
        self._n_rallies += is_coming and not self._is_coming
        self._last_x, self._is_coming = ball[1], is_coming
        aim = ball[0] + AIMS[self._n_rallies % len(AIMS)]
        if abs(aim - paddle[0]) <= SLACK:
            return NOTHING
        return UP if aim < paddle[0] else DOWN


def find_middle(court: NDArray[np.uint8], colour: tuple[int, int, int]) -> tuple[float, float] | None:
    """Return the mean row and column of the pixels with this colour, or None if there are none."""
    red, green, _ = colour  # no other colour of Pong has this red and green
    rows, columns = np.nonzero((court[..., 0] == red) & (court[..., 1] == green))
    return (float(rows.mean()), float(columns.mean())) if len(rows) else None
