"""The rules of falling blocks, a sixtieth of a second at a time, in whole numbers."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from skill_arcade.environments.tetris.pieces import SHAPES, SPAWN_COLUMNS, SPAWN_ROWS, kicks

COLUMNS, ROWS, HIDDEN = 10, 20, 2
"""A well of 10 by 20, and two rows above it in which pieces appear."""
EMPTY = -1

LOCK_TICKS = 30
"""Ticks that a piece may lie before it locks."""
LOCK_RESETS = 15
"""A piece that lies locks after half a second in which it was not moved; after so many moves, at once."""
CLEAR_TICKS = 18
"""Ticks that full lines are shown before they are removed."""
FIRST_REPEAT, NEXT_REPEATS = 10, 2
"""A direction that is held moves the piece at once, after so many ticks, then every so many."""
SOFT_FACTOR = 20
LINES_A_LEVEL, TOP_LEVEL = 10, 20
LINE_POINTS = (0, 100, 300, 500, 800)

ROW = 1 << 16
# Rows a tick in 1/65536 by level: one row in (0.8 - 0.007 (level - 1)) ^ (level - 1) seconds.
GRAVITY = tuple(round(ROW / 60 / (0.8 - 0.007 * level) ** level) for level in range(TOP_LEVEL))

STILL, LEFT, RIGHT = range(3)
NOTHING, SOFT, CLOCKWISE, COUNTER, HARD, HOLD = range(6)
ACTS = 6


@dataclass(slots=True)
class Falling:
    """The piece in the air: where its box is, and how it is turned."""

    piece: int
    row: int
    column: int
    turned: int = 0

    def cells(self) -> Iterator[tuple[int, int]]:
        """Rows, from the hidden ones on, and columns that it covers."""
        for row, column in SHAPES[self.piece][self.turned]:
            yield self.row + row, self.column + column


@dataclass(slots=True)
class Well:
    """A game. Whoever owns it puts pieces into `queue`, at least one more than are shown, before every tick."""

    level: int = 1
    queue: list[int] = field(default_factory=list)
    cells: list[list[int]] = field(default_factory=lambda: [[EMPTY] * COLUMNS for _ in range(ROWS + HIDDEN)])
    falling: Falling | None = None
    held: int = EMPTY
    may_hold: bool = True
    score: int = 0
    lines: int = 0
    pieces: int = 0
    over: bool = False
    full: tuple[int, ...] = ()
    """Rows that are being cleared."""
    first_level: int = 1
    pause: int = 0
    fallen: int = 0
    lying: int = 0
    resets: int = 0
    lowest: int = 0
    move: int = STILL
    act: int = NOTHING
    moved_for: int = 0

    def tick(self, move: int, act: int) -> None:
        """One sixtieth of a second with this held. A turn, a drop and a hold happen once for each press."""
        pressed = act if act != self.act else NOTHING
        self.moved_for = self.moved_for + 1 if move == self.move else 0
        self.move, self.act = move, act
        if self.over:
            return
        if self.pause:
            self.pause -= 1
            if self.pause == 0:
                self._remove_full()
            return
        if self.falling is None:
            self._enter(self.queue.pop(0))
            return
        if pressed == HOLD and self.may_hold:
            self._swap()
            return
        if pressed in (CLOCKWISE, COUNTER):
            self._turn(1 if pressed == CLOCKWISE else 3)
        if move != STILL and self._repeats():
            self._shift(1 if move == RIGHT else -1)
        if pressed == HARD:
            self.score += 2 * self._drop()
            self._lock()
        else:
            self._fall(soft=act == SOFT)

    def landing(self) -> list[tuple[int, int]]:
        """Cells that the piece in the air would cover if it were dropped."""
        if self.falling is None:
            return []
        down = 0
        while self._fits(self.falling, down=down + 1):
            down += 1
        return [(row + down, column) for row, column in self.falling.cells()]

    def _repeats(self) -> bool:
        late = self.moved_for - FIRST_REPEAT
        return self.moved_for == 0 or (late >= 0 and late % NEXT_REPEATS == 0)

    def _fits(self, piece: Falling, *, right: int = 0, down: int = 0, turned: int | None = None) -> bool:
        for row, column in SHAPES[piece.piece][piece.turned if turned is None else turned]:
            y, x = piece.row + row + down, piece.column + column + right
            if not (0 <= x < COLUMNS and 0 <= y < ROWS + HIDDEN) or self.cells[y][x] != EMPTY:
                return False
        return True

    def _enter(self, piece: int) -> None:
        """A piece appears above the well and comes down a row if it can. The game is over if it can't appear."""
        self.falling = Falling(piece, SPAWN_ROWS[piece], SPAWN_COLUMNS[piece])
        self.fallen = self.lying = self.resets = 0
        self.over = not self._fits(self.falling)
        if not self.over and self._fits(self.falling, down=1):
            self.falling.row += 1
        self.lowest = self.falling.row

    def _swap(self) -> None:
        assert self.falling is not None
        before, self.held = self.held, self.falling.piece
        self._enter(self.queue.pop(0) if before == EMPTY else before)
        self.may_hold = False

    def _shift(self, right: int) -> None:
        assert self.falling is not None
        if self._fits(self.falling, right=right):
            self.falling.column += right
            self._stir()

    def _turn(self, quarters: int) -> None:
        piece = self.falling
        assert piece is not None
        after = (piece.turned + quarters) % 4
        for right, up in kicks(piece.piece, piece.turned, after):
            if self._fits(piece, right=right, down=-up, turned=after):
                piece.column, piece.row, piece.turned = piece.column + right, piece.row - up, after
                self._stir()
                return

    def _stir(self) -> None:
        """A piece that was moved lies anew, a limited number of times."""
        if self.lying and self.resets < LOCK_RESETS:
            self.lying = 0
            self.resets += 1

    def _fall(self, *, soft: bool) -> None:
        assert self.falling is not None
        gravity = GRAVITY[min(self.level, TOP_LEVEL) - 1]
        self.fallen += gravity * SOFT_FACTOR if soft else gravity
        while self.fallen >= ROW and self._fits(self.falling, down=1):
            self.fallen -= ROW
            self.falling.row += 1
            self.score += soft
        if self.falling.row > self.lowest:
            self.lowest, self.lying, self.resets = self.falling.row, 0, 0
        if self._fits(self.falling, down=1):
            return
        self.fallen = 0
        self.lying += 1
        if self.lying > LOCK_TICKS or self.resets >= LOCK_RESETS:
            self._lock()

    def _drop(self) -> int:
        """Put the piece down where it would land; how many rows that is."""
        assert self.falling is not None
        down = 0
        while self._fits(self.falling, down=1):
            self.falling.row += 1
            down += 1
        return down

    def _lock(self) -> None:
        assert self.falling is not None
        covered = list(self.falling.cells())
        for row, column in covered:
            self.cells[row][column] = self.falling.piece
        self.falling, self.may_hold = None, True
        self.pieces += 1
        self.full = tuple(row for row, cells in enumerate(self.cells) if EMPTY not in cells)
        if self.full:
            self.pause = CLEAR_TICKS
        elif all(row < HIDDEN for row, _ in covered):
            self.over = True

    def _remove_full(self) -> None:
        self.cells = [cells for row, cells in enumerate(self.cells) if row not in self.full]
        self.cells[:0] = [[EMPTY] * COLUMNS for _ in self.full]
        self.score += LINE_POINTS[len(self.full)] * self.level
        self.lines += len(self.full)
        self.level = max(self.first_level, 1 + self.lines // LINES_A_LEVEL)
        self.full = ()
