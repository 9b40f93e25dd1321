"""The fewest moves of the Tower of Hanoi with three poles."""

from collections.abc import Sequence
from typing import Any

from skill_arcade.agents.policy import Policy

GOAL_POLE = 2
N_POLES = 3


class HanoiPolicy(Policy):
    """Solves the puzzle from any position in the fewest moves; from the start in 2 ** disks - 1."""

    def start(self, seed: int) -> None:
        """Begin an episode."""

    def choose(self, observation: Any, info: dict[str, Any]) -> int:
        """Lift the disk of the next move, or put the lifted one down."""
        *poles, lifted = (int(value) for value in observation)
        disk, goal = find_move(poles, GOAL_POLE)
        if lifted == 0:
            return poles[disk]
        return goal if lifted == disk + 1 else poles[lifted - 1]  # a disk that was lifted for nothing goes back


def find_move(poles: Sequence[int], goal: int) -> tuple[int, int]:
    """Return the next disk (0: the smallest) to move, and to which pole, for the fewest moves.

    A disk that is not on its goal needs all smaller ones on the third pole first, which is their goal then.
    """
    move = (0, goal)
    for disk in reversed(range(len(poles))):
        if poles[disk] != goal:
            move = (disk, goal)
            goal = sum(range(N_POLES)) - poles[disk] - goal
    return move
