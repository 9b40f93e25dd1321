"""Key codes of manifests, and the keys that joysticks and drafts choose."""

from typing import Any

import pytest
import yaml

from skill_arcade.errors import UnsupportedEnvironment
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.draft import MAX_CONTROLS, EnvironmentInfo, draft_manifest
from skill_arcade.games.joystick import Joystick, expand_joystick
from skill_arcade.games.key_codes import BINDABLE_KEY_CODES, RESERVED_KEY_CODES
from skill_arcade.games.manifest import Manifest

FIELDS = {
    "id": "game",
    "name": "Game",
    "summary": "Play.",
    "environment": {"id": "X-v0"},
    "pace": {"kind": "turn-based"},
    "actions": [{"press": ["go"], "action": 0}],
}


def make_manifest(code: str) -> Manifest:
    return Manifest.model_validate({**FIELDS, "controls": [{"name": "go", "label": "Go", "keys": [code]}]})


def draft(n_actions: int, **fields: Any) -> Manifest:
    game_id, text = draft_manifest(EnvironmentInfo("X-v0", n_actions, None, None, **fields), None)
    return Manifest.model_validate({"id": game_id, **yaml.safe_load(text)})


@pytest.mark.parametrize("code", BINDABLE_KEY_CODES)
def test_manifest_with_bindable_key_is_valid(code: str) -> None:
    assert make_manifest(code).controls[0].keys == (code,)


@pytest.mark.parametrize(
    ("code", "hint"),
    [("N", "'KeyN'"), ("n", "'KeyN'"), ("1", "'Digit1'"), ("Arrowleft", "'ArrowLeft'"), ("F30", "KeyA"), ("", "KeyA")],
)
def test_manifest_with_unknown_key_raises_value_error_with_hint(code: str, hint: str) -> None:
    with pytest.raises(ValueError, match=f"not a key code.*{hint}"):
        make_manifest(code)


@pytest.mark.parametrize("code", ["F5", "F11", "Tab", "Escape", "Enter", "ControlLeft", "MetaRight"])
def test_manifest_with_reserved_key_raises_value_error(code: str) -> None:
    with pytest.raises(ValueError, match=f"'{code}' is reserved"):
        make_manifest(code)


def test_key_codes_are_distinct_and_not_reserved() -> None:
    assert len(set(BINDABLE_KEY_CODES)) == len(BINDABLE_KEY_CODES)
    assert not RESERVED_KEY_CODES & set(BINDABLE_KEY_CODES)


def test_catalogue_games_with_fire_have_a_second_key_for_it() -> None:
    fire = {
        game.id: control.keys
        for game in load_catalogue(None).games.values()
        for control in game.controls
        if control.name == "fire" and game.environment.id.startswith("ALE/")
    }
    assert len(fire) > 80
    assert [game for game, keys in fire.items() if len(keys) < 2] == []


def test_expand_joystick_gives_no_key_to_two_controls() -> None:
    joystick = Joystick(meanings=("NOOP", "FIRE", "LEFT"), keys={"left": ["KeyX"]})
    assert [control["keys"] for control in expand_joystick(joystick)["controls"]] == [["KeyX"], ["Space"]]


def test_draft_manifest_of_most_actions_has_a_free_key_for_each() -> None:
    controls = draft(MAX_CONTROLS).controls
    assert [control.keys[0] for control in controls[:11]] == [*(f"Digit{digit}" for digit in "1234567890"), "KeyA"]
    assert controls[-1].keys == ("KeyM",)


@pytest.mark.parametrize(
    ("n_actions", "kwargs"),
    [(MAX_CONTROLS + 1, {}), (10**6, {}), (10**12, {}), (3**8, {"of": "X-v0", "levels": 3})],
)
def test_draft_manifest_of_too_many_actions_raises_unsupported_environment(
    n_actions: int, kwargs: dict[str, object]
) -> None:
    with pytest.raises(UnsupportedEnvironment, match=f"{n_actions:,} actions.*at most {MAX_CONTROLS}"):
        draft(n_actions, kwargs=kwargs)
