"""A player of CartPole that keeps the pole upright and the cart in the middle by a weighted sum of the state."""

from typing import Any

from skill_arcade.agents.policy import Policy

WEIGHTS = (0.05, 0.1, 1.0, 0.3)
"""Weights of the cart's position and speed, and of the pole's angle and angular speed."""
LEFT, RIGHT = 0, 1


class CartPolePolicy(Policy):
    """Pushes to the side to which the pole falls, or to which the cart has to move to come back to the middle."""

    def start(self, seed: int) -> None:
        """Begin an episode."""

    def choose(self, observation: Any, info: dict[str, Any]) -> int:
        """Look at the state: position, speed, angle and angular speed."""
        lean = sum(weight * float(value) for weight, value in zip(WEIGHTS, observation, strict=True))
        return RIGHT if lean > 0 else LEFT
