"""Tetris (Alexey Pajitnov, 1985) as a Gymnasium environment, by today's standard rules."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from skill_arcade.environments.tetris.pieces import NAMES
from skill_arcade.environments.tetris.renderer import TetrisRenderer
from skill_arcade.environments.tetris.rules import ACTS, COLUMNS, EMPTY, HIDDEN, ROWS, TOP_LEVEL, Well

SHOWN = 3
Observation = dict[str, NDArray[np.int8]]


class TetrisEnv(gymnasium.Env[Observation, np.int64]):
    """Turn and drop the falling pieces so that whole rows fill; a full row goes, and a well that is full ends the game.

    A step is a sixtieth of a second. **Action**: `Discrete(18)`, what is held: `6 * move + act`, with `move` 0 none,
    1 left, 2 right, and `act` 0 none, 1 soft drop, 2 turn clockwise, 3 counter-clockwise, 4 hard drop, 5 hold. A turn,
    a hard drop and a hold happen once for each press: in the first of equal `act` in a row. A direction moves the
    piece at once, after 10 more steps, and then every second one.

    **Observation**: a dictionary of int8 arrays. `board` (20, 10): 0 empty, else 1 + the piece (IOTSZJL) that lies
    there; `piece` (4,): the falling piece, 1 + its kind (0: none), turns clockwise, row and column of its box;
    `next` (3,) and `hold` (1,): 1 + kind, 0 none.

    **Chance**: only the order of pieces, from bags of all seven. **Reward**: points: 100, 300, 500, 800 times the
    level for 1 to 4 rows at once, 1 for each row of a soft drop and 2 of a hard one. The level rises with every ten
    rows, and with it the speed.

    **End**: `terminated` when a piece has no room to appear or locks above the well, or, as `finished`, when
    `goal_lines` rows are cleared. **Info**: `lines`, `level`, `pieces`, `finished`.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 60}  # noqa: RUF012 (Gymnasium's own convention)

    def __init__(self, level: int = 1, goal_lines: int | None = 150, *, render_mode: str | None = None) -> None:
        """Set the well up. `level`: to start at, 1 to 20; `goal_lines`: rows after which the game is done."""
        if not 1 <= level <= TOP_LEVEL:
            raise ValueError(f"level: {level} is not between 1 and {TOP_LEVEL}")
        if goal_lines is not None and goal_lines < 1:
            raise ValueError(f"goal_lines: {goal_lines} leaves nothing to do")
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode: {render_mode!r} is neither None nor 'rgb_array'")
        self.level, self.goal_lines, self.render_mode = level, goal_lines, render_mode
        self.action_space = spaces.Discrete(3 * ACTS)
        kinds = len(NAMES)
        self.observation_space: spaces.Dict[Any] = spaces.Dict(  # type: ignore[assignment]  # its arrays are narrower
            {
                "board": spaces.Box(0, kinds, (ROWS, COLUMNS), np.int8),
                "piece": spaces.Box(
                    np.array([0, 0, -HIDDEN - 2, -2], np.int8),
                    np.array([kinds, 3, ROWS, COLUMNS], np.int8),
                    dtype=np.int8,
                ),
                "next": spaces.Box(0, kinds, (SHOWN,), np.int8),
                "hold": spaces.Box(0, kinds, (1,), np.int8),
            }
        )
        self._painter: TetrisRenderer | None = None
        self._well = Well(level, first_level=level)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Empty the well, shuffle, and let the first piece appear."""
        super().reset(seed=seed, options=options)
        self._well = Well(self.level, first_level=self.level)
        self._deal()
        self._well.tick(0, 0)
        return self._observe(), self._info()

    def step(self, action: np.int64 | int) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Hold `action` for a sixtieth of a second."""
        if not 0 <= int(action) < 3 * ACTS:
            raise ValueError(f"action: {action} is not between 0 and {3 * ACTS - 1}")
        before = self._well.score
        self._deal()
        self._well.tick(*divmod(int(action), ACTS))
        info = self._info()
        reward = float(self._well.score - before)
        return self._observe(), reward, self._well.over or info["finished"], False, info

    def _deal(self) -> None:
        """Have enough pieces to show and to take, bag by bag."""
        while len(self._well.queue) <= SHOWN + 1:
            self._well.queue += [int(piece) for piece in self.np_random.permutation(len(NAMES))]

    def _observe(self) -> Observation:
        well, falling = self._well, self._well.falling
        piece = (0, 0, 0, 0)
        if falling is not None:
            piece = (falling.piece + 1, falling.turned, falling.row - HIDDEN, falling.column)
        return {
            "board": np.array(well.cells[HIDDEN:], np.int8) - np.int8(EMPTY),
            "piece": np.array(piece, np.int8),
            "next": np.array(well.queue[:SHOWN], np.int8) + np.int8(1),
            "hold": np.array([well.held - EMPTY], np.int8),
        }

    def _info(self) -> dict[str, Any]:
        well = self._well
        finished = self.goal_lines is not None and well.lines >= self.goal_lines
        return {"lines": well.lines, "level": well.level, "pieces": well.pieces, "finished": finished}

    def render(self) -> NDArray[np.uint8] | None:
        """Draw the game, (344, 344, 3) uint8; the same state always gives the same picture."""
        if self.render_mode is None:
            gymnasium.logger.warn("render needs gymnasium.make(…, render_mode='rgb_array')")
            return None
        if self._painter is None:
            self._painter = TetrisRenderer()
        return self._painter.paint(self._well)
