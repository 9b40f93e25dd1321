"""How the Tower of Hanoi looks: layers drawn once, then laid over each other.

Edges are smooth in five steps only, so that a whole episode keeps to fewer than 255 colours and its frames
stay small.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 640, 360
_FINE = 4
_STEPS = 4
_FLOOR, _POLE_TOP, _AIR = 296, 92, 30
_POLE_HALF = 7

_NIGHT, _TABLE = (23, 28, 43), (32, 39, 58)
_WOOD, _WOOD_LIGHT, _WOOD_DARK = (160, 110, 62), (190, 137, 84), (121, 80, 43)
_INK, _PAPER, _QUIET = (20, 22, 30), (250, 248, 240), (150, 160, 184)
_GOAL, _REFUSED = (240, 228, 66), (213, 94, 0)
# Okabe and Ito's colours, told apart with any colour vision; the smallest disk first.
_DISKS = (
    (240, 228, 66),
    (86, 180, 233),
    (230, 159, 0),
    (0, 158, 115),
    (204, 121, 167),
    (0, 114, 178),
    (213, 94, 0),
    (187, 187, 187),
    (148, 103, 219),
)

Colour = tuple[int, int, int]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is to be seen: each disk's pole, the lifted disk (0: none), the pole of a refused action."""

    where: tuple[int, ...]
    lifted: int
    refused: int | None


class _Sprite:
    """Colours with an alpha in steps, premultiplied once."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.colour: NDArray[np.float64] = np.zeros((size[1], size[0], 3))
        self.alpha: NDArray[np.float64] = np.zeros((size[1], size[0], 1))

    def fill(self, colour: Colour, draw: Callable[[ImageDraw.ImageDraw, int], None]) -> None:
        """Lay a shape of one colour over what is there. `draw` draws it white, at `_FINE` times the size."""
        height, width = self.alpha.shape[:2]
        mask = Image.new("L", (width * _FINE, height * _FINE))
        draw(ImageDraw.Draw(mask), _FINE)
        small = np.asarray(mask.resize((width, height), Image.Resampling.BOX), np.float64)[..., None]
        over = np.round(small / 255 * _STEPS) / _STEPS
        self.colour = self.colour * (1 - over) + np.array(colour) * over
        self.alpha = self.alpha * (1 - over) + over

    def lay(self, canvas: Pixels, x: int, y: int) -> None:
        """Draw onto a canvas with the top left corner at (x, y)."""
        height, width = self.alpha.shape[:2]
        part = canvas[y : y + height, x : x + width]
        part[:] = np.round(part * (1 - self.alpha) + self.colour)


def _box(x: float, y: float, width: float, height: float, radius: float) -> Callable[[ImageDraw.ImageDraw, int], None]:
    def draw(pen: ImageDraw.ImageDraw, fine: int) -> None:
        corners = (x * fine, y * fine, (x + width) * fine - 1, (y + height) * fine - 1)
        pen.rounded_rectangle(corners, radius * fine, fill=255)

    return draw


def _text(x: float, y: float, size: float, text: str) -> Callable[[ImageDraw.ImageDraw, int], None]:
    def draw(pen: ImageDraw.ImageDraw, fine: int) -> None:
        font = ImageFont.load_default(size * fine)
        pen.text((x * fine, y * fine), text, fill=255, font=font, anchor="mm")

    return draw


def _lines(points: list[tuple[float, float]], width: float) -> Callable[[ImageDraw.ImageDraw, int], None]:
    def draw(pen: ImageDraw.ImageDraw, fine: int) -> None:
        pen.line([(x * fine, y * fine) for x, y in points], fill=255, width=round(width * fine))

    return draw


def _area(points: list[tuple[float, float]]) -> Callable[[ImageDraw.ImageDraw, int], None]:
    def draw(pen: ImageDraw.ImageDraw, fine: int) -> None:
        pen.polygon([(x * fine, y * fine) for x, y in points], fill=255)

    return draw


def _mix(a: Colour, b: Colour, share: float) -> Colour:
    red, green, blue = (round(p * (1 - share) + q * share) for p, q in zip(a, b, strict=True))
    return red, green, blue


class HanoiRenderer:
    """Paints one puzzle. Making one draws the layers (some 30 ms); a picture is then well under 2 ms."""

    def __init__(self, disks: int, poles: int, goal_pole: int) -> None:
        self._disk_height = min(34, (_FLOOR - _POLE_TOP - 16) // disks)
        self._column = WIDTH / poles
        self._centres = [round(self._column * (pole + 0.5)) for pole in range(poles)]
        self._board = self._paint_board(goal_pole)
        self._disks = [self._paint_disk(number, disks) for number in range(1, disks + 1)]
        self._cross = self._paint_cross()

    def render(self, scene: Scene) -> Pixels:
        """Draw a scene, (360, 640, 3) uint8."""
        canvas = self._board.copy()
        for pole, centre in enumerate(self._centres):
            standing = [
                disk
                for disk, where in reversed(list(enumerate(scene.where, 1)))
                if where == pole and disk != scene.lifted
            ]
            for place, disk in enumerate(standing, 1):
                self._lay_disk(canvas, disk, centre, _FLOOR - place * self._disk_height)
        if scene.lifted:
            self._lay_disk(canvas, scene.lifted, self._centres[scene.where[scene.lifted - 1]], _AIR)
        if scene.refused is not None:
            self._cross.lay(canvas, self._centres[scene.refused] - 13, _POLE_TOP - 40)
        return canvas

    def _lay_disk(self, canvas: Pixels, disk: int, centre: int, top: int) -> None:
        sprite = self._disks[disk - 1]
        sprite.lay(canvas, centre - sprite.alpha.shape[1] // 2, top)

    def _paint_board(self, goal_pole: int) -> Pixels:
        board = _Sprite((WIDTH, HEIGHT))
        board.fill(_NIGHT, _box(0, 0, WIDTH, HEIGHT, 0))
        board.fill(_TABLE, _box(0, _FLOOR + 8, WIDTH, HEIGHT, 0))
        for pole, centre in enumerate(self._centres):
            self._paint_pole(board, centre, pole == goal_pole)
            name = f"{pole + 1}  goal" if pole == goal_pole else f"{pole + 1}"
            board.fill(_GOAL if pole == goal_pole else _QUIET, _text(centre, HEIGHT - 22, 20, name))
        board.fill(_WOOD_DARK, _box(16, _FLOOR, WIDTH - 32, 18, 7))
        board.fill(_WOOD, _box(16, _FLOOR, WIDTH - 32, 14, 6))
        board.fill(_WOOD_LIGHT, _box(22, _FLOOR + 2, WIDTH - 44, 3, 1))
        canvas = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        board.lay(canvas, 0, 0)
        return canvas

    def _paint_pole(self, board: _Sprite, centre: int, is_goal: bool) -> None:
        height = _FLOOR - _POLE_TOP + 10
        board.fill(_WOOD_DARK, _box(centre - _POLE_HALF, _POLE_TOP, 2 * _POLE_HALF, height, 6))
        board.fill(_WOOD, _box(centre - _POLE_HALF, _POLE_TOP, 2 * _POLE_HALF - 4, height, 5))
        board.fill(_WOOD_LIGHT, _box(centre - _POLE_HALF + 2, _POLE_TOP + 4, 3, height, 1))
        if is_goal:
            x, y = centre + _POLE_HALF, _POLE_TOP + 8
            board.fill(_GOAL, _area([(x, y), (x + 34, y + 10), (x, y + 20)]))

    def _paint_disk(self, number: int, disks: int) -> _Sprite:
        largest, smallest = self._column * 0.88, max(self._column * 0.30, 38.0)
        share = 1.0 if disks == 1 else (number - 1) / (disks - 1)
        width = 2 * round((smallest + (largest - smallest) * share) / 2)
        height = self._disk_height
        colour = _DISKS[number - 1]
        radius = min(height / 2 - 1, 12)
        sprite = _Sprite((width, height))
        sprite.fill(_mix(colour, _INK, 0.35), _box(0, 1, width, height - 1, radius))
        sprite.fill(colour, _box(0, 1, width, height - 4, radius))
        sprite.fill(_mix(colour, _PAPER, 0.45), _box(radius, 3, width - 2 * radius, 2, 1))
        brightness = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
        ink = _INK if brightness > 105 else _PAPER
        sprite.fill(ink, _text(width / 2, height / 2, min(20, height * 0.62), str(number)))
        return sprite

    def _paint_cross(self) -> _Sprite:
        sprite = _Sprite((26, 26))
        sprite.fill(_REFUSED, _box(0, 0, 26, 26, 13))
        sprite.fill(_PAPER, _lines([(8, 8), (18, 18)], 3))
        sprite.fill(_PAPER, _lines([(18, 8), (8, 18)], 3))
        return sprite
