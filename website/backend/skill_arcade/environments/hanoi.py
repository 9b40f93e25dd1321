"""The Tower of Hanoi (Édouard Lucas, 1883) as a Gymnasium environment."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from skill_arcade.environments.hanoi_renderer import HanoiRenderer, Scene

NOTHING = 0
MAX_DISKS, MAX_POLES = 9, 6


class TowerOfHanoiEnv(gymnasium.Env[NDArray[np.int64], np.int64]):
    """Bring the whole tower to the goal pole, disk by disk, never a larger one on a smaller one.

    **Action**: a pole, `Discrete(poles)`, counted from 0 at the left. With nothing lifted, the top disk of
    that pole is lifted; with a disk lifted, it is put down there. What the rules don't allow (no disk there;
    a smaller disk below) changes nothing but `info` and, by `illegal_reward`, the reward.

    **Observation**: `MultiDiscrete([poles] * disks + [disks + 1])`. Entry `k` is the pole of disk `k + 1`,
    disk 1 being the smallest; a lifted disk counts where it was lifted. The last entry is the lifted disk's
    number, 0 when nothing is lifted.

    **Start**: every disk on pole 0, nothing lifted. There is no chance in it, so every seed begins alike.

    **Reward**: `goal_reward` when the tower stands on the goal pole; `move_reward` when a disk is put down on
    another pole than it came from; `illegal_reward` when the action is refused. They add up.

    **End**: `terminated` when the tower stands on the goal pole; `truncated` after `max_steps` actions.

    **Info**: `illegal` (this action was refused), `illegal_actions` and `moves` (so far), `lifted` (number of
    the lifted disk, 0: none), `solved`.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 4}  # noqa: RUF012 (Gymnasium's own convention)

    def __init__(
        self,
        disks: int = 3,
        poles: int = 3,
        goal_pole: int = -1,
        *,
        goal_reward: float = 1.0,
        move_reward: float = 0.0,
        illegal_reward: float = 0.0,
        max_steps: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        """Set the puzzle up. `goal_pole` counts from 0; negative ones from the right, as in Python."""
        if not 1 <= disks <= MAX_DISKS:
            raise ValueError(f"disks: {disks} is not between 1 and {MAX_DISKS}")
        if not 3 <= poles <= MAX_POLES:
            raise ValueError(f"poles: {poles} is not between 3 and {MAX_POLES}")
        if not -poles <= goal_pole < poles or goal_pole % poles == 0:
            raise ValueError(f"goal_pole: {goal_pole} is not one of the {poles} poles, or is where the tower starts")
        if max_steps is not None and max_steps < 1:
            raise ValueError(f"max_steps: {max_steps} leaves no step to take")
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode: {render_mode!r} is neither None nor 'rgb_array'")
        self.disks, self.poles, self.goal_pole = disks, poles, goal_pole % poles
        self.goal_reward, self.move_reward, self.illegal_reward = goal_reward, move_reward, illegal_reward
        self.max_steps, self.render_mode = max_steps, render_mode
        self.action_space = spaces.Discrete(poles)
        self.observation_space = spaces.MultiDiscrete([poles] * disks + [disks + 1])
        self._painter: HanoiRenderer | None = None
        self._set_up()

    def _set_up(self) -> None:
        self._where = [0] * self.disks
        self._lifted = NOTHING
        self._steps = self._moves = self._illegal_actions = 0
        self._refused: int | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.int64], dict[str, Any]]:
        """Put the tower back on pole 0."""
        super().reset(seed=seed, options=options)
        self._set_up()
        return self._observe(), self._info()

    def step(self, action: np.int64 | int) -> tuple[NDArray[np.int64], float, bool, bool, dict[str, Any]]:
        """Lift from, or put down on, the pole `action`."""
        pole = int(action)
        if not 0 <= pole < self.poles:
            raise ValueError(f"action: {action} is not one of the {self.poles} poles")
        self._steps += 1
        moved = self._lift(pole) if self._lifted == NOTHING else self._put(pole)
        if moved is None:
            self._illegal_actions += 1
        self._refused = pole if moved is None else None
        solved = self._solved()
        reward = self.goal_reward * solved + self.move_reward * (moved is True) + self.illegal_reward * (moved is None)
        truncated = self.max_steps is not None and self._steps >= self.max_steps
        return self._observe(), float(reward), solved, truncated, self._info()

    def _lift(self, pole: int) -> bool | None:
        """Lift the top disk of a pole. None: refused; False: done, which is not yet a move."""
        top = self._top(pole)
        if top is None:
            return None
        self._lifted = top
        return False

    def _put(self, pole: int) -> bool | None:
        """Put the lifted disk on a pole. None: refused; else whether it is another pole than it came from."""
        origin = self._where[self._lifted - 1]
        top = self._top(pole, besides=self._lifted)
        if top is not None and top < self._lifted:
            return None
        self._where[self._lifted - 1] = pole
        self._lifted = NOTHING
        self._moves += pole != origin
        return pole != origin

    def _top(self, pole: int, besides: int = NOTHING) -> int | None:
        """Number of the smallest disk on a pole, leaving out one that is in the air."""
        return next((disk for disk, where in enumerate(self._where, 1) if where == pole and disk != besides), None)

    def _solved(self) -> bool:
        return self._lifted == NOTHING and all(where == self.goal_pole for where in self._where)

    def _observe(self) -> NDArray[np.int64]:
        return np.array([*self._where, self._lifted], np.int64)

    def _info(self) -> dict[str, Any]:
        return {
            "illegal": self._refused is not None,
            "illegal_actions": self._illegal_actions,
            "moves": self._moves,
            "lifted": self._lifted,
            "solved": self._solved(),
        }

    def render(self) -> NDArray[np.uint8] | None:
        """Draw the puzzle, (360, 640, 3) uint8; the same state always gives the same picture."""
        if self.render_mode is None:
            gymnasium.logger.warn("render needs gymnasium.make(…, render_mode='rgb_array')")
            return None
        if self._painter is None:
            self._painter = HanoiRenderer(self.disks, self.poles, self.goal_pole)
        return self._painter.render(Scene(tuple(self._where), self._lifted, self._refused))
