"""A placement heuristic for Tetris: each piece goes where it leaves the best well.

The features and their weights are those of Yiyuan Lee, "Tetris AI - The (Near) Perfect Bot" (2013): the sum of the
heights of the columns, full rows, holes, and the sum of the differences between neighbouring heights.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skill_arcade.agents.policy import Policy
from skill_arcade.environments.tetris.pieces import SHAPES
from skill_arcade.environments.tetris.rules import ACTS, CLOCKWISE, COLUMNS, HARD, LEFT, NOTHING, RIGHT, ROWS, STILL

HEIGHT_WEIGHT, ROWS_WEIGHT, HOLES_WEIGHT, BUMPS_WEIGHT = -0.510066, 0.760666, -0.35663, -0.184483
MAX_STEPS_TO_PLACE = 120
"""Steps after which a piece is dropped where it is, because something is in its way."""
Board = NDArray[np.bool_]
Placement = tuple[int, int]


class TetrisPolicy(Policy):
    """Turns and shifts a piece over its best place, and drops it. It looks at no piece but the falling one."""

    def __init__(self) -> None:
        self._pieces = -1
        self._target: Placement = (0, 0)
        self._n_steps = 0
        self._is_pressed = False

    def start(self, seed: int) -> None:
        """Begin an episode."""
        self._pieces, self._is_pressed = -1, False

    def choose(self, observation: Any, info: dict[str, Any]) -> int:
        """Press one key towards the target, or release it, because a key acts when it is pressed."""
        kind, turned, _, column = (int(value) for value in observation["piece"])
        if kind == 0 or self._is_pressed:
            self._is_pressed = False
            return NOTHING
        if info["pieces"] != self._pieces:
            self._pieces, self._n_steps = info["pieces"], 0
            self._target = find_placement(observation["board"] != 0, kind - 1)
        self._n_steps += 1
        self._is_pressed = True
        target_turned, target_column = self._target
        if self._n_steps < MAX_STEPS_TO_PLACE:
            if turned != target_turned:
                return STILL * ACTS + CLOCKWISE
            if column != target_column:
                return (LEFT if column > target_column else RIGHT) * ACTS
        return HARD


def find_placement(board: Board, piece: int) -> Placement:
    """Return the turns and the column of the box with which a piece (0 to 6) leaves the best well, (rows, columns)."""
    places = [
        (score_board(after), -turned, -column)
        for turned, cells in enumerate(SHAPES[piece])
        for column in range(-2, COLUMNS)
        if (after := drop(board, cells, column)) is not None
    ]
    if not places:
        return 0, COLUMNS // 2
    _, turned, column = max(places)
    return -turned, -column


def drop(board: Board, cells: tuple[tuple[int, int], ...], column: int) -> Board | None:
    """Return the well after a piece has fallen straight down, before full rows go; None if it does not fit."""
    columns = [column + right for _, right in cells]
    if min(columns) < 0 or max(columns) >= COLUMNS:
        return None
    heights = find_heights(board)
    # The lowest row of the box at which no cell is below the surface of its column.
    bottom = min(ROWS - int(heights[column + right]) - 1 - down for down, right in cells)
    if any(bottom + down < 0 for down, _ in cells):
        return None
    after = board.copy()
    for down, right in cells:
        after[bottom + down, column + right] = True
    return after


def score_board(board: Board) -> float:
    """Return how good a well is. Full rows count, and are then taken away."""
    is_full = board.all(axis=1)
    left = board[~is_full]
    board = np.vstack([np.zeros((ROWS - len(left), COLUMNS), bool), left])
    heights = find_heights(board)
    n_holes = int(heights.sum() - board.sum())
    n_bumps = int(np.abs(np.diff(heights)).sum())
    return (
        HEIGHT_WEIGHT * int(heights.sum())
        + ROWS_WEIGHT * int(is_full.sum())
        + HOLES_WEIGHT * n_holes
        + BUMPS_WEIGHT * n_bumps
    )


def find_heights(board: Board) -> NDArray[np.int64]:
    """Return the height of each column, (columns,), in rows."""
    return np.where(board.any(axis=0), ROWS - board.argmax(axis=0), 0)
