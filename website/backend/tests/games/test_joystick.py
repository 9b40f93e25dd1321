"""Controls of a joystick, from the environment's action meanings."""

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


def test_split_meaning_returns_directions_and_button() -> None:
    assert split_meaning("DOWNRIGHTFIRE") == ["down", "right", "fire"]
    assert split_meaning("NOOP") == []
    with pytest.raises(ValueError, match="JUMP"):
        split_meaning("JUMP")


def test_expand_joystick_maps_presses_to_actions() -> None:
    assert presses("NOOP", "FIRE", "RIGHT", "RIGHTFIRE") == {("fire",): 1, ("right",): 2, ("right", "fire"): 3}


def test_expand_joystick_direction_with_button_only_also_acts_alone() -> None:
    assert presses("NOOP", "FIRE", "LEFTFIRE") == {("fire",): 1, ("left",): 2, ("left", "fire"): 2}


def test_manifest_with_joystick_gets_noop_and_keys() -> None:
    game = Manifest.model_validate({**FIELDS, "joystick": {"meanings": ["NOOP", "LEFT"], "labels": {"left": "Go"}}})
    assert game.noop == 0
    assert [(control.name, control.label, control.keys) for control in game.controls] == [
        ("left", "Go", ("ArrowLeft", "KeyA"))
    ]


@pytest.mark.parametrize(
    ("joystick", "fields", "reason"),
    [
        ({"meanings": ["NOOP", "LEFT"], "labels": {"fire": "Shoot"}}, {}, "fire"),
        ({"meanings": ["NOOP", "LEFT"]}, {"noop": 0}, "noop"),
        ({"meanings": ["NOOP", "HOP"]}, {}, "HOP"),
    ],
)
def test_manifest_with_invalid_joystick_raises_value_error(
    joystick: dict[str, object], fields: dict[str, object], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        Manifest.model_validate({**FIELDS, **fields, "joystick": joystick})
