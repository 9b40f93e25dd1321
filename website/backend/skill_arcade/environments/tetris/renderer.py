"""How falling blocks look: tiles drawn once, laid side by side. An episode keeps to fewer than 255 colours."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from skill_arcade.environments.tetris.pieces import NAMES, SHAPES
from skill_arcade.environments.tetris.rules import COLUMNS, EMPTY, HIDDEN, ROWS, Well

CELL, SMALL = 16, 12
SIDE, EDGE = 80, 12
WIDTH, HEIGHT = COLUMNS * CELL + 2 * SIDE + 2 * EDGE, ROWS * CELL + 2 * EDGE
LEFT, TOP = SIDE + EDGE, EDGE
SHOWN = 3

Colour = tuple[int, int, int]
Pixels = NDArray[np.uint8]

_NIGHT, _WELL, _GRID, _FRAME = (23, 28, 43), (13, 16, 26), (22, 27, 41), (72, 84, 118)
_QUIET, _PAPER, _FLASH = (150, 160, 184), (250, 248, 240), (250, 244, 214)
# Told apart with any colour vision, by Okabe and Ito, lightened to glow on the dark; in the order of NAMES.
_COLOURS: tuple[Colour, ...] = (
    (86, 200, 233),
    (240, 228, 66),
    (204, 121, 190),
    (46, 190, 130),
    (232, 90, 50),
    (70, 120, 235),
    (240, 160, 20),
)
_EMPTY_TILE, _FLASH_TILE, _GHOST = 0, 1 + len(NAMES), 2 + len(NAMES)


def _mix(a: Colour, b: Colour, share: float) -> Colour:
    red, green, blue = (round(p * (1 - share) + q * share) for p, q in zip(a, b, strict=True))
    return red, green, blue


def _block(colour: Colour, size: int) -> Pixels:
    """A bevelled square: light from the upper left."""
    image = Image.new("RGB", (size, size), _mix(colour, (0, 0, 0), 0.55))
    pen = ImageDraw.Draw(image)
    pen.rectangle((1, 1, size - 2, size - 2), _mix(colour, (0, 0, 0), 0.25))
    pen.rectangle((1, 1, size - 3, size - 3), _mix(colour, _PAPER, 0.5))
    pen.rectangle((2, 2, size - 3, size - 3), colour)
    pen.rectangle((size // 4, size // 4, size // 4 + 2, size // 4 + 1), _mix(colour, _PAPER, 0.5))
    return np.asarray(image)


def _hollow(colour: Colour, size: int) -> Pixels:
    image = Image.new("RGB", (size, size), _WELL)
    ImageDraw.Draw(image).rectangle((1, 1, size - 2, size - 2), outline=_mix(colour, _WELL, 0.45))
    return np.asarray(image)


def _empty(size: int) -> Pixels:
    image = Image.new("RGB", (size, size), _WELL)
    ImageDraw.Draw(image).line((0, size - 1, size - 1, size - 1, size - 1, 0), _GRID)
    return np.asarray(image)


class TetrisRenderer:
    """Paints a well: the board as one table of tiles, the rest from sprites that were drawn once."""

    def __init__(self) -> None:
        blocks = [_block(colour, CELL) for colour in _COLOURS]
        ghosts = [_hollow(colour, CELL) for colour in _COLOURS]
        self._tiles = np.stack([_empty(CELL), *blocks, _block(_FLASH, CELL), *ghosts])
        self._small = [self._draw_piece(piece) for piece in range(len(NAMES))]
        self._digits = [self._draw_text(str(digit), 16, _PAPER, 11) for digit in range(10)]
        self._ground = self._draw_ground()

    def paint(self, well: Well) -> Pixels:
        """Draw a well, (HEIGHT, WIDTH, 3) uint8."""
        canvas = self._ground.copy()
        tiles = self._tiles[self._lay_out(well)]
        canvas[TOP : TOP + ROWS * CELL, LEFT : LEFT + COLUMNS * CELL] = tiles.swapaxes(1, 2).reshape(
            ROWS * CELL, COLUMNS * CELL, 3
        )
        if well.held != EMPTY:
            self._put(canvas, self._small[well.held], SIDE // 2, TOP + 46)
        for place, piece in enumerate(well.queue[:SHOWN]):
            self._put(canvas, self._small[piece], WIDTH - SIDE // 2, TOP + 46 + 48 * place)
        for top, number in ((126, well.level), (186, well.lines)):
            self._put_number(canvas, number, top)
        return canvas

    def _lay_out(self, well: Well) -> NDArray[np.int64]:
        """Which tile lies where, (ROWS, COLUMNS)."""
        board = np.array(well.cells, np.int64) - EMPTY
        if well.falling is not None:
            for row, column in well.landing():
                if board[row, column] == _EMPTY_TILE:
                    board[row, column] = _GHOST + well.falling.piece
            for row, column in well.falling.cells():
                board[row, column] = 1 + well.falling.piece
        for row in well.full:
            board[row] = _FLASH_TILE if well.pause // 6 % 2 == 0 else board[row]
        return board[HIDDEN:]

    def _put(self, canvas: Pixels, sprite: Pixels, x: int, y: int) -> None:
        """Centre a sprite on (x, y)."""
        height, width = sprite.shape[:2]
        canvas[y - height // 2 :, x - width // 2 :][:height, :width] = sprite

    def _put_number(self, canvas: Pixels, number: int, top: int) -> None:
        digits = str(number)
        for place, digit in enumerate(digits):
            self._put(
                canvas, self._digits[int(digit)], SIDE // 2 + round(11 * (place - (len(digits) - 1) / 2)), TOP + top
            )

    def _draw_piece(self, piece: int) -> Pixels:
        cells = SHAPES[piece][0]
        rows, columns = [row for row, _ in cells], [column for _, column in cells]
        shape = ((max(rows) - min(rows) + 1) * SMALL, (max(columns) - min(columns) + 1) * SMALL, 3)
        sprite = np.full(shape, _NIGHT, np.uint8)
        for row, column in cells:
            y, x = (row - min(rows)) * SMALL, (column - min(columns)) * SMALL
            sprite[y : y + SMALL, x : x + SMALL] = _block(_COLOURS[piece], SMALL)
        return sprite

    def _draw_text(self, text: str, size: int, colour: Colour, width: int) -> Pixels:
        """A word without half tones, so that it costs two colours."""
        mask = Image.new("1", (width, size + 4))
        font = ImageFont.load_default(size)
        ImageDraw.Draw(mask).text((width / 2, size / 2 + 2), text, fill=1, font=font, anchor="mm")
        return np.where(np.asarray(mask)[..., None], np.array(colour, np.uint8), np.array(_NIGHT, np.uint8))

    def _draw_ground(self) -> Pixels:
        canvas = np.full((HEIGHT, WIDTH, 3), _NIGHT, np.uint8)
        canvas[TOP - 4 : TOP + ROWS * CELL + 4, LEFT - 4 : LEFT + COLUMNS * CELL + 4] = _FRAME
        canvas[TOP - 2 : TOP + ROWS * CELL + 2, LEFT - 2 : LEFT + COLUMNS * CELL + 2] = _WELL
        for word, x, y in (
            ("HOLD", SIDE // 2, 10),
            ("LEVEL", SIDE // 2, 102),
            ("LINES", SIDE // 2, 162),
            ("NEXT", WIDTH - SIDE // 2, 10),
        ):
            self._put(canvas, self._draw_text(word, 13, _QUIET, 60), x, TOP + y)
        return canvas
