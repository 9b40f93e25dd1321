"""Tetris follows the standard rules, and its seed determines the game."""

from collections import Counter
from itertools import pairwise
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from skill_arcade.environments.tetris.env import TetrisEnv
from skill_arcade.environments.tetris.pieces import NAMES, SHAPES
from skill_arcade.environments.tetris.rules import (
    CLEAR_TICKS,
    CLOCKWISE,
    COLUMNS,
    COUNTER,
    EMPTY,
    GRAVITY,
    HARD,
    HIDDEN,
    HOLD,
    LEFT,
    LOCK_RESETS,
    LOCK_TICKS,
    NOTHING,
    RIGHT,
    ROW,
    ROWS,
    SOFT,
    STILL,
    Falling,
    Well,
)

BOTTOM = ROWS + HIDDEN - 1


def make_well(*rows: str, pieces: str = "TTTTTTT", **more: Any) -> Well:
    """Return a well with these lowest rows (`X` is filled) and with its first piece in the air."""
    well = Well(queue=[NAMES.index(piece) for piece in pieces], **more)
    for place, row in enumerate(reversed(rows)):
        well.cells[BOTTOM - place] = [0 if cell == "X" else EMPTY for cell in row]
    well.tick(STILL, NOTHING)
    return well


def press(well: Well, act: int) -> None:
    well.tick(STILL, act)
    well.tick(STILL, NOTHING)


@pytest.mark.parametrize("kwargs", [{}, {"level": 9, "goal_lines": None}])
def test_tetris_passes_gymnasium_env_checker(kwargs: dict[str, Any]) -> None:
    check_env(gymnasium.make("SkillArcade/Tetris-v0", render_mode="rgb_array", **kwargs).unwrapped)


def test_tetris_seed_determines_the_pieces() -> None:
    def play(seed: int) -> tuple[bytes, float]:
        env, rng = TetrisEnv(render_mode="rgb_array"), np.random.default_rng(5)
        env.reset(seed=seed)
        seen, total = b"", 0.0
        for _ in range(60):
            action = int(rng.integers(18))
            for _ in range(8):
                observation, reward, terminated, *_ = env.step(action)
                total += reward
                seen += b"".join(observation[key].tobytes() for key in sorted(observation))
                if terminated:
                    env.reset()
        return seen + bytes(env.render()), total  # type: ignore[arg-type]

    assert play(7) == play(7)
    assert play(7) != play(8)


def test_tetris_bag_contains_all_seven_pieces() -> None:
    env = TetrisEnv()
    env.reset(seed=3)
    dealt = [env._well.falling.piece] if env._well.falling else []
    while len(dealt) < 21:
        env._deal()
        dealt.append(env._well.queue.pop(0))
    bags = [Counter(dealt[start : start + 7]) for start in (0, 7, 14)]
    assert bags == [Counter(range(7))] * 3
    assert dealt[:7] != dealt[7:14]


@pytest.mark.parametrize(("rows", "points"), [(1, 100), (2, 300), (3, 500), (4, 800)])
def test_tetris_full_rows_are_cleared_and_scored(rows: int, points: int) -> None:
    well = make_well("XX.......X", *["XXXXXXXXX."] * rows, pieces="IIIIII", level=2, first_level=2)
    well.falling = Falling(NAMES.index("I"), HIDDEN, 7, 1)
    assert {column for _, column in well.falling.cells()} == {9}
    well.cells[BOTTOM - rows][9] = EMPTY
    before = well.score
    press(well, HARD)
    assert len(well.full) == rows
    dropped = well.score - before
    for _ in range(CLEAR_TICKS):
        well.tick(STILL, NOTHING)
    assert (well.lines, well.score - before - dropped) == (rows, 2 * points)
    assert well.full == ()
    assert [cell != EMPTY for cell in well.cells[BOTTOM]][:2] == [True, True]
    assert sum(cell != EMPTY for row in well.cells for cell in row) == 2 + 4 - rows


def test_tetris_level_rises_per_ten_rows_from_start_level() -> None:
    well = make_well(level=3, first_level=3)
    for lines, level in ((9, 3), (29, 3), (30, 4)):
        well.lines, well.full = lines - 1, (BOTTOM,)
        well._remove_full()
        assert (well.lines, well.level) == (lines, level)


@pytest.mark.parametrize("piece", range(7))
def test_tetris_four_rotations_restore_the_piece(piece: int) -> None:
    well = make_well()
    for quarters in (CLOCKWISE, COUNTER):
        well.falling = Falling(piece, 8, 3)
        seen = []
        for _ in range(4):
            well._turn(1 if quarters == CLOCKWISE else 3)
            assert well.falling is not None
            seen.append(sorted(well.falling.cells()))
        assert sorted(Falling(piece, 8, 3).cells()) == seen[-1]
        assert len({tuple(cells) for cells in seen}) == (1 if NAMES[piece] == "O" else 4)


def test_tetris_rotation_at_wall_kicks_piece_away() -> None:
    well = make_well()
    well.falling = Falling(NAMES.index("T"), 8, -1, 1)  # upright, its empty column in the wall
    well._turn(1)
    assert (well.falling.column, well.falling.row, well.falling.turned) == (0, 8, 2)
    well.falling = Falling(NAMES.index("I"), 8, -2, 1)  # upright in the first column
    well._turn(3)
    assert (well.falling.column, well.falling.row, well.falling.turned) == (0, 8, 0)


def test_tetris_t_spin_triple_kicks_t_two_rows_down() -> None:
    """The T-spin triple of the guideline: the fifth kick from 0 to left, one column right and two rows down."""
    well = make_well(
        "..........",
        "XX..XXXXXX",
        "XX...XXXXX",
        "XXX.XXXXXX",
        "XX..XXXXXX",
        "XXX.XXXXXX",
    )
    well.cells[BOTTOM - 3][4] = 0
    well.cells[BOTTOM - 4][2], well.cells[BOTTOM - 4][3] = EMPTY, EMPTY
    piece = well.falling = Falling(NAMES.index("T"), BOTTOM - 5, 1)
    for row, column in piece.cells():
        well.cells[row][column] = EMPTY
    before = sorted(piece.cells())
    well._turn(3)
    assert piece.turned == 3
    assert sorted(piece.cells()) != before
    assert all(well.cells[row][column] == EMPTY for row, column in piece.cells())


def test_tetris_blocked_rotation_changes_nothing() -> None:
    well = make_well(*["XXXX.XXXXX"] * 8)
    piece = well.falling = Falling(NAMES.index("I"), BOTTOM - 3, 2, 1)
    assert {column for _, column in piece.cells()} == {4}
    well._turn(1)
    assert (piece.row, piece.column, piece.turned) == (BOTTOM - 3, 2, 1)


def test_tetris_gravity_follows_the_guideline() -> None:
    assert GRAVITY[0] == round(ROW / 60)
    assert all(slower < faster for slower, faster in pairwise(GRAVITY))
    well = make_well()
    assert well.falling is not None
    start = well.falling.row
    for _ in range(120):
        well.tick(STILL, NOTHING)
    assert well.falling.row - start in (1, 2)
    well = make_well()
    assert well.falling is not None
    for _ in range(12):
        well.tick(STILL, SOFT)
    assert well.falling.row - start in (3, 4)
    assert well.score == well.falling.row - start


def test_tetris_landed_piece_locks_after_500_ms() -> None:
    well = make_well()
    assert well.falling is not None
    well._drop()
    for _ in range(LOCK_TICKS):
        well.tick(STILL, NOTHING)
    assert well.pieces == 0
    well.tick(STILL, NOTHING)
    assert well.pieces == 1


def test_tetris_moves_of_landed_piece_delay_its_lock_up_to_limit() -> None:
    well = make_well()
    well._drop()
    ticks = 0
    while well.pieces == 0:
        well.tick(LEFT if ticks // 20 % 2 else RIGHT, NOTHING) if ticks % 20 == 19 else well.tick(STILL, NOTHING)
        ticks += 1
    assert LOCK_RESETS * 20 <= ticks <= (LOCK_RESETS + 1) * 20 + LOCK_TICKS


def test_tetris_held_direction_repeats() -> None:
    well = make_well()
    assert well.falling is not None
    places = []
    for _ in range(17):
        well.tick(LEFT, NOTHING)
        places.append(well.falling.column)
    assert places == [2] * 10 + [1, 1, 0, 0, 0, 0, 0]


def test_tetris_held_rotation_happens_once() -> None:
    well = make_well()
    assert well.falling is not None
    for _ in range(5):
        well.tick(STILL, CLOCKWISE)
    assert well.falling.turned == 1


def test_tetris_hold_works_once_per_piece() -> None:
    well = make_well(pieces="ISZTOL")
    press(well, HOLD)
    assert well.falling is not None
    assert (NAMES[well.held], NAMES[well.falling.piece]) == ("I", "S")
    press(well, HOLD)
    assert NAMES[well.held] == "I"
    press(well, HARD)
    press(well, HOLD)
    assert (NAMES[well.held], NAMES[well.falling.piece]) == ("Z", "I")


def test_tetris_blocked_spawn_ends_the_game() -> None:
    env = TetrisEnv()
    env.reset(seed=1)
    terminated, steps = False, 0
    info: dict[str, Any] = {}
    while not terminated:
        _, _, terminated, truncated, info = env.step(HARD if steps % 2 else NOTHING)
        assert not truncated
        steps += 1
    assert (info["finished"], info["lines"]) == (False, 0)
    assert 10 <= info["pieces"] <= 25


def test_tetris_lock_above_well_ends_the_game() -> None:
    well = make_well(*["X" + "." * 9] * 0)
    for row in range(HIDDEN, ROWS + HIDDEN):
        well.cells[row] = [0] * 9 + [EMPTY]
    well.falling = Falling(NAMES.index("O"), 0, 2)
    press(well, HARD)
    assert well.over


def test_tetris_goal_lines_end_the_game_as_finished() -> None:
    env = TetrisEnv(goal_lines=4)
    env.reset(seed=1)
    env._well.lines = 3
    env._well.full, env._well.pause = (BOTTOM,), 1
    _, reward, terminated, _, info = env.step(0)
    assert (reward, terminated, info["finished"], info["lines"]) == (100.0, True, True, 4)


@pytest.mark.parametrize(
    ("kwargs", "name"),
    [({"level": 0}, "level"), ({"goal_lines": 0}, "goal_lines"), ({"render_mode": "human"}, "render")],
)
def test_tetris_invalid_argument_raises_with_its_name(kwargs: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}"):
        TetrisEnv(**kwargs)


def test_tetris_pictures_use_fewer_than_255_colours() -> None:
    env = TetrisEnv(render_mode="rgb_array")
    env.reset(seed=2)
    colours: set[int] = set()
    rng = np.random.default_rng(1)
    for step in range(600):
        *_, terminated, _, _ = env.step(int(rng.integers(18)))
        if terminated:
            env.reset()
        if step % 5 == 0:
            picture = env.render()
            assert picture is not None
            colours |= set(np.unique(picture.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)).tolist())
    assert len(colours) < 255


def test_tetris_pieces_spawn_in_the_middle_above_the_well() -> None:
    for piece in range(7):
        well = make_well(pieces=NAMES[piece] + "TTTT")
        assert well.falling is not None
        rows = [row for row, _ in well.falling.cells()]
        columns = [column for _, column in well.falling.cells()]
        assert HIDDEN - 1 <= min(rows) <= HIDDEN
        assert max(rows) <= HIDDEN
        assert (min(columns), COLUMNS - 1 - max(columns)) in {(3, 3), (4, 4), (3, 4)}
        assert len(SHAPES[piece][0]) == 4
