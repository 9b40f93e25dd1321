"""The page latches input by the same rule: `frontend/tests/lockstep/latch.json` says what the rule comes to.

python tests/lockstep/test_input_latch.py    # writes it anew, after a change of play/controls.py
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
    """Players of all tempers: calm ones, and ones who change more than a tick can take."""
    return [make_case(random.Random(number)) for number in range(N_CASES)]


def make_case(chance: random.Random) -> dict[str, Any]:
    """One player's moves, and what the server's rule makes of them."""
    sets = [(control,) for control in CONTROLS] + [(a, b) for a in CONTROLS for b in CONTROLS if a < b]
    bindings = [{"press": list(press), "action": number + 1} for number, press in enumerate(chance.sample(sets, 9))]
    noop = chance.choice([0, 0, 0, None])
    calm = chance.choice([0.1, 0.4, 0.7])
    moves = [make_move(chance, calm) for _ in range(N_MOVES if chance.random() < 0.8 else 4 * N_MOVES)]
    controls = InputLatch([Binding.model_validate(binding) for binding in bindings], noop)
    return {"bindings": bindings, "noop": noop, "moves": moves, "ticks": play_moves(controls, moves)}


def make_move(chance: random.Random, calm: float) -> str:
    """A tick, a press, a release of one control, or, seldom, of all."""
    if chance.random() < calm:
        return "tick"
    return "release" if chance.random() < 0.01 else chance.choice("+-") + chance.choice(CONTROLS)


def play_moves(controls: InputLatch, moves: list[str]) -> list[tuple[int | None, int | None]]:
    """For each tick the action, and the number of the move that it follows from."""
    ticks = []
    for number, move in enumerate(moves):
        source = ActiveInput(number, number, None)
        if move == "tick":
            action, used = controls.sample()
            ticks.append((action, None if used is None else used.at_us))
        elif move == "release":
            controls.release(source)
        else:
            controls.change(move[1:], down=move[0] == "+", source=source)
    return ticks


def as_text() -> str:
    """The file's text: a case a line."""
    return "[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in make_cases()) + "\n]\n"


def test_the_page_is_tested_with_the_rule_of_today() -> None:
    assert VECTORS.read_text() == as_text(), "run this file as a script, then the front end's tests"


if __name__ == "__main__":
    VECTORS.write_text(as_text())
