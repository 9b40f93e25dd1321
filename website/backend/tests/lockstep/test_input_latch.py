"""Test vectors that make the page's input latch equal to the server's: `frontend/tests/lockstep/latch.json`.

After a change of `play/session/input_latch.py` run `python tests/lockstep/test_input_latch.py`, which writes them.
"""

import json
import random
from pathlib import Path
from typing import Any

from skill_arcade.games.manifest import Binding
from skill_arcade.play.session.input_latch import InputLatch
from skill_arcade.recording.records import ActiveInput

VECTORS = Path(__file__).parents[3] / "frontend" / "tests" / "lockstep" / "latch.json"
CONTROLS = ("up", "down", "left", "right", "fire")
N_CASES, N_MOVES = 40, 60


def make_cases() -> list[dict[str, Any]]:
    """Make cases of calm players, and of players who press faster than a tick can take."""
    return [make_case(random.Random(number)) for number in range(N_CASES)]


def make_case(rng: random.Random) -> dict[str, Any]:
    """Make the moves of one player, and what the latch makes of them."""
    sets = [(control,) for control in CONTROLS] + [(a, b) for a in CONTROLS for b in CONTROLS if a < b]
    bindings = [{"press": list(press), "action": number + 1} for number, press in enumerate(rng.sample(sets, 9))]
    noop = rng.choice([0, 0, 0, None])
    calm = rng.choice([0.1, 0.4, 0.7])
    moves = [make_move(rng, calm) for _ in range(N_MOVES if rng.random() < 0.8 else 4 * N_MOVES)]
    controls = InputLatch([Binding.model_validate(binding) for binding in bindings], noop)
    return {"bindings": bindings, "noop": noop, "moves": moves, "ticks": play_moves(controls, moves)}


def make_move(rng: random.Random, calm: float) -> str:
    """Return a tick, a press, a release of one control or, rarely, of all."""
    if rng.random() < calm:
        return "tick"
    return "release" if rng.random() < 0.01 else rng.choice("+-") + rng.choice(CONTROLS)


def play_moves(controls: InputLatch, moves: list[str]) -> list[tuple[int | None, int | None]]:
    """Return for each tick the action, and the number of the move that it follows from."""
    ticks = []
    for number, move in enumerate(moves):
        source = ActiveInput(number, number, None)
        if move == "tick":
            action, input_source = controls.sample()
            ticks.append((action, None if input_source is None else input_source.at_us))
        elif move == "release":
            controls.release(source)
        else:
            controls.change(move[1:], down=move[0] == "+", source=source)
    return ticks


def as_text() -> str:
    """Format the file, one case per line."""
    return "[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in make_cases()) + "\n]\n"


def test_I2_lockstep_page_vectors_equal_input_latch() -> None:
    assert VECTORS.read_text() == as_text(), "run this file as a script, then the front end's tests"


if __name__ == "__main__":
    VECTORS.write_text(as_text())
