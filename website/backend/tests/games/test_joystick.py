"""A joystick follows from the environment's action meanings."""

import pytest

from skill_arcade.games.joystick import Joystick, expand_joystick, split_meaning
from skill_arcade.games.manifest import Manifest

FIELDS = {
    "id": "game",
    "name": "Game",
    "summary": "Play.",
    "environment": {"id": "X-v0"},
    "pace": {"kind": "real-time", "hz": 60},
}


def presses(*meanings: str) -> dict[tuple[str, ...], int]:
    expanded = expand_joystick(Joystick(meanings=meanings))
    return {tuple(action["press"]): action["action"] for action in expanded["actions"]}


def test_a_meaning_is_read_as_the_parts_of_a_stick() -> None:
    assert split_meaning("DOWNRIGHTFIRE") == ["down", "right", "fire"]
    assert split_meaning("NOOP") == []
    with pytest.raises(ValueError, match="no stick makes 'JUMP'"):
        split_meaning("JUMP")


def test_each_meaning_is_what_its_parts_do_together() -> None:
    assert presses("NOOP", "FIRE", "RIGHT", "RIGHTFIRE") == {("fire",): 1, ("right",): 2, ("right", "fire"): 3}


def test_a_direction_known_only_with_the_button_acts_alone_too() -> None:
    assert presses("NOOP", "FIRE", "LEFTFIRE") == {("fire",): 1, ("left",): 2, ("left", "fire"): 2}


def test_a_manifest_takes_noop_and_keys_from_its_joystick() -> None:
    game = Manifest.model_validate({**FIELDS, "joystick": {"meanings": ["NOOP", "LEFT"], "labels": {"left": "Go"}}})
    assert game.noop == 0
    assert [(control.name, control.label, control.keys) for control in game.controls] == [
        ("left", "Go", ("ArrowLeft", "KeyA"))
    ]


@pytest.mark.parametrize(
    ("joystick", "more", "reason"),
    [
        ({"meanings": ["NOOP", "LEFT"], "labels": {"fire": "Shoot"}}, {}, "does not use fire"),
        ({"meanings": ["NOOP", "LEFT"]}, {"noop": 0}, "it says noop already"),
        ({"meanings": ["NOOP", "HOP"]}, {}, "no stick makes 'HOP'"),
    ],
)
def test_a_joystick_that_does_not_fit_is_refused(
    joystick: dict[str, object], more: dict[str, object], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        Manifest.model_validate({**FIELDS, **more, "joystick": joystick})
