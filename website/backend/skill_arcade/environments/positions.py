"""Where the player is in an environment's picture, for the environments that tell it.

Atari games tell it in the console's RAM. The addresses and offsets are those of OCAtari (Delfosse et al. 2024, arXiv
2306.08649; k4ntz/OC_Atari @99c8746, `ocatari/ram/`), and agree with those of AtariARI (Anand et al. 2019, arXiv
1906.08226; `atariari/benchmark/ram_annotations.py` @1a94116). Tests look for the player's colour there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the picture: `x` from the left and `y` from the top, 0 to 1.

    * `columns`, `rows`: number of cells of a level that consists of cells; None: of pixels.
    * `screen`: number of the screen of a game with several ones.
    """

    x: float
    y: float
    columns: int | None = None
    rows: int | None = None
    screen: int = 0


@dataclass(frozen=True, slots=True)
class _RamPosition:
    """How RAM gives the upper left corner of the player, and the player's size, in pixels of 160 by 210."""

    corner: Callable[[bytes], tuple[int, int]]
    size: tuple[int, int]
    screen: Callable[[bytes], int] = lambda ram: 0

    def read(self, ram: bytes) -> Position:
        (left, top), (width, height) = self.corner(ram), self.size
        return Position(_clip((left + width / 2) / 160), _clip((top + height / 2) / 210), screen=self.screen(ram))


RAM_POSITIONS = {
    "ALE/Alien-v5": _RamPosition(lambda ram: (ram[52] + 18, 197 - 2 * ram[45]), (8, 13)),
    "ALE/Frostbite-v5": _RamPosition(lambda ram: (ram[102], ram[100] + 29), (8, 18)),
    "ALE/MontezumaRevenge-v5": _RamPosition(
        lambda ram: (ram[42] - 1, 308 - ram[43]), (8, 20), screen=lambda ram: ram[3]
    ),
    "ALE/MsPacman-v5": _RamPosition(lambda ram: (ram[10] - 13, ram[16] + 1), (9, 10)),
    "ALE/Seaquest-v5": _RamPosition(lambda ram: (ram[70], ram[97] + 33), (16, 11)),
    "ALE/SpaceInvaders-v5": _RamPosition(lambda ram: (ram[28] - 1, 185), (7, 10)),
}
GRID_ENVIRONMENTS = (
    *("*MiniGrid-DistShift*", "*MiniGrid-Dynamic-Obstacles-*", "*MiniGrid-LavaCrossing*", "*MiniGrid-LavaGap*"),
    *("FrozenLake-v1", "FrozenLake8x8-v1"),
)
"""Ids of environments in which a lost episode ends where the agent dies."""
KNOWN_GAMES = (
    *("Alien", "Frostbite", "Montezuma's Revenge", "Ms. Pac-Man", "Seaquest", "Space Invaders"),
    *("Frozen Lake", "the games of MiniGrid with lava or moving obstacles"),
)
"""Names of the games in which the place of a death is known."""


def read_grid_position(environment_id: str, environment: Any) -> Position | None:
    """Return the agent's cell in a level of cells, or None if the environment is no such level.

    A missing attribute gives None too: another version of the package must not make an episode irreproducible.
    """
    if not any(fnmatchcase(environment_id, pattern) for pattern in GRID_ENVIRONMENTS):
        return None
    try:
        if environment_id.startswith("FrozenLake"):
            rows, columns = environment.desc.shape
            row, column = divmod(int(environment.s), int(columns))
        else:
            columns, rows = environment.width, environment.height
            column, row = (int(value) for value in environment.agent_pos)
    except (AttributeError, TypeError, ValueError):
        return None
    return Position((column + 0.5) / columns, (row + 0.5) / rows, int(columns), int(rows))


def _clip(share: float) -> float:
    return min(max(share, 0.0), 1.0)
