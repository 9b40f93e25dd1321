"""The seven pieces and how they turn: the Super Rotation System, as the guideline of 2009 has it."""

from collections.abc import Iterator

import numpy as np

NAMES = "IOTSZJL"
_ROWS = {
    "I": ("....", "XXXX", "....", "...."),
    "O": ("XX", "XX"),
    "T": (".X.", "XXX", "..."),
    "S": (".XX", "XX.", "..."),
    "Z": ("XX.", ".XX", "..."),
    "J": ("X..", "XXX", "..."),
    "L": ("..X", "XXX", "..."),
}

Cells = tuple[tuple[int, int], ...]
Kicks = tuple[tuple[int, int], ...]


def _turned(name: str) -> Iterator[Cells]:
    """Cells (row, column) of a piece in its box, in the four orientations: as spawned, right, upside down, left."""
    box = np.array([[cell == "X" for cell in row] for row in _ROWS[name]])
    for turns in range(4):
        yield tuple((int(row), int(column)) for row, column in np.argwhere(np.rot90(box, -turns)))


SHAPES: tuple[tuple[Cells, ...], ...] = tuple(tuple(_turned(name)) for name in NAMES)
"""SHAPES[piece][orientation]: its four cells in its box."""
SPAWN_COLUMNS = tuple((10 - len(_ROWS[name])) // 2 for name in NAMES)
SPAWN_ROWS = tuple(-1 if name == "I" else 0 for name in NAMES)

# From orientation, to orientation: where to try the piece, (right, up), until it fits.
_KICKS = {
    (0, 1): ((0, 0), (-1, 0), (-1, 1), (0, -2), (-1, -2)),
    (1, 0): ((0, 0), (1, 0), (1, -1), (0, 2), (1, 2)),
    (1, 2): ((0, 0), (1, 0), (1, -1), (0, 2), (1, 2)),
    (2, 1): ((0, 0), (-1, 0), (-1, 1), (0, -2), (-1, -2)),
    (2, 3): ((0, 0), (1, 0), (1, 1), (0, -2), (1, -2)),
    (3, 2): ((0, 0), (-1, 0), (-1, -1), (0, 2), (-1, 2)),
    (3, 0): ((0, 0), (-1, 0), (-1, -1), (0, 2), (-1, 2)),
    (0, 3): ((0, 0), (1, 0), (1, 1), (0, -2), (1, -2)),
}
_KICKS_OF_I = {
    (0, 1): ((0, 0), (-2, 0), (1, 0), (-2, -1), (1, 2)),
    (1, 0): ((0, 0), (2, 0), (-1, 0), (2, 1), (-1, -2)),
    (1, 2): ((0, 0), (-1, 0), (2, 0), (-1, 2), (2, -1)),
    (2, 1): ((0, 0), (1, 0), (-2, 0), (1, -2), (-2, 1)),
    (2, 3): ((0, 0), (2, 0), (-1, 0), (2, 1), (-1, -2)),
    (3, 2): ((0, 0), (-2, 0), (1, 0), (-2, -1), (1, 2)),
    (3, 0): ((0, 0), (1, 0), (-2, 0), (1, -2), (-2, 1)),
    (0, 3): ((0, 0), (-1, 0), (2, 0), (-1, 2), (2, -1)),
}


def kicks(piece: int, before: int, after: int) -> Kicks:
    """Where to try a piece that turns, (columns to the right, rows up), in order."""
    if NAMES[piece] == "O":
        return ((0, 0),)
    return (_KICKS_OF_I if NAMES[piece] == "I" else _KICKS)[before, after]
