"""Games whose action has several parts are played with sets of controls, and the applied action is on record."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml
from gymnasium import spaces
from sqlalchemy import URL

from skill_arcade.certify.rerun import rerun_episode
from skill_arcade.dataset.reader import open_dataset
from skill_arcade.environments.button_actions import list_buttons
from skill_arcade.environments.factory import describe_environment, make_environment
from skill_arcade.errors import UnsupportedEnvironment
from skill_arcade.exact_json import remove_types
from skill_arcade.games.buttons import Buttons, combine_buttons
from skill_arcade.games.draft import EnvironmentInfo, draft_manifest
from skill_arcade.games.manifest import EnvironmentSpec, Manifest
from skill_arcade.storage.database.tables import CertificateResult
from tests.conftest import opened_engine
from tests.support.session_harness import SessionHarness, upload_all

BUTTONS: dict[str, dict[str, Any]] = {
    "MultiBinary": {
        "sets": {"left": {"6": 1}, "right": {"7": 1}, "fire": {"0": 1}},
        "exclusive": [["left", "right"]],
    },
    "MultiDiscrete": {"sets": {"left": {"0": 1}, "right": {"0": 2}, "fire": {"2": 1}}},
    "Tuple": {"sets": {"left": {"0": -1}, "right": {"0": 1}, "fire": {"1/0": 1, "1/1": 1}}, "rest": [0, [0, 0]]},
    "Dict": {"sets": {"left": {"continuous/0": -5.5}, "right": {"continuous/0": 5.5}, "fire": {"binary": [1, 0, 1]}}},
    "Box": {"sets": {"left": {"0": -1}, "right": {"0": 1}, "fire": {"1": 0.5}}},
}
APPLIED: dict[str, Any] = {
    "MultiBinary": [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0],
    "MultiDiscrete": [1, 0, 1],
    "Tuple": [-1, [1, 1]],
    "Dict": {"binary": [1, 0, 1], "continuous": [-5.5, 0.0]},
    "Box": [-1.0, 0.5],
}


def button_game(kind: str, **changes: Any) -> Manifest:
    """Return a real-time game of an environment with an action of several parts."""
    return Manifest.model_validate(
        {
            "id": f"console-{kind.lower()}",
            "name": kind,
            "summary": "A test.",
            "environment": {"id": f"tests.support.button_env:Console/{kind}-v0"},
            "pace": {"kind": "real-time", "hz": 30},
            "controls": [
                {"name": "left", "label": "Left", "keys": ["ArrowLeft"]},
                {"name": "right", "label": "Right", "keys": ["ArrowRight"]},
                {"name": "fire", "label": "Fire", "keys": ["Space"]},
            ],
            "buttons": {**BUTTONS[kind], **changes},
        }
    )


@pytest.mark.parametrize("kind", BUTTONS)
def test_buttons_held_together_apply_one_action_and_certify(kind: str, database_url: URL, tmp_path: Path) -> None:
    (journal := tmp_path / "journal").mkdir()
    harness = SessionHarness(journal, button_game(kind))
    harness.send("start")
    harness.ticks(2)
    harness.press("left")
    harness.press("fire")
    harness.ticks(3)
    harness.press("left", down=False)
    harness.press("fire", down=False)
    harness.ticks(3)
    harness.send("leave")

    async def upload() -> None:
        async with opened_engine(database_url) as engine:
            await upload_all(journal, tmp_path / "objects", engine)

    asyncio.run(upload())
    with open_dataset(database_url.render_as_string(hide_password=False), tmp_path / "objects") as dataset:
        episode = dataset.episode(harness.headers[0].episode_id)
        infos = [remove_types(info) for info in episode.stored_infos]
        assert infos[4]["applied_action"] == APPLIED[kind]
        assert infos[4]["given"] == APPLIED[kind]
        assert infos[0]["applied_action"] == infos[-1]["applied_action"] != APPLIED[kind]
        assert rerun_episode(episode).result is CertificateResult.certified


def test_combine_buttons_leaves_out_what_cannot_be_held_together() -> None:
    sets = {"left": {"0": 1}, "right": {"0": 2}, "up": {"1": 1}, "down": {"2": 1}}
    held = combine_buttons(sets, [("up", "down")], 3)
    assert held[0] == ()
    assert set(held) == {(), *((name,) for name in sets)} | {
        (side, way) for side in ("left", "right") for way in ("up", "down")
    }


def test_combine_buttons_of_whole_pad_stays_below_the_limit() -> None:
    pad = ["b", "y", "select", "start", "up", "down", "left", "right", "a", "x", "l", "r"]
    buttons = Buttons(
        sets={name: {str(index): 1} for index, name in enumerate(pad)},
        exclusive=(("up", "down"), ("left", "right"), ("select", "start")),
    )
    assert (
        len(combine_buttons(buttons.sets, buttons.exclusive, buttons.max_held)) == 629
    )  # (1 + 2x)^3 (1 + x)^6 up to x^4
    with pytest.raises(ValueError, match="more than 1024 combinations of 12 controls"):
        combine_buttons(buttons.sets, (), 6)


@pytest.mark.parametrize(
    ("kind", "sets", "problem"),
    [
        ("MultiBinary", {"fire": {"12": 1}}, "the action has no part '12'"),
        ("MultiBinary", {"fire": {"0": 2}}, "which is not in the action space"),
        ("Dict", {"fire": {"buttons/0": 1}}, "the action has no part 'buttons/0'"),
        ("Tuple", {"fire": {"0": 7}}, "which is not in the action space"),
    ],
)
def test_buttons_outside_the_action_space_are_refused_in_words(kind: str, sets: Any, problem: str) -> None:
    game = button_game(kind, sets=sets, exclusive=[])
    with pytest.raises(UnsupportedEnvironment, match=problem):
        make_environment(game.environment)


def test_environment_with_several_parts_and_no_buttons_is_refused_in_words() -> None:
    with pytest.raises(UnsupportedEnvironment, match="a game needs a Discrete one, or `buttons` in its manifest"):
        make_environment(EnvironmentSpec(id="tests.support.button_env:Console/Dict-v0"))


@pytest.mark.parametrize("kind", ["MultiBinary", "MultiDiscrete", "Tuple", "Dict"])
def test_draft_of_several_parts_is_a_game_that_can_be_made(kind: str) -> None:
    info = describe_environment(f"tests.support.button_env:Console/{kind}-v0")
    game_id, text = draft_manifest(info, None)
    game = Manifest.model_validate({"id": game_id, **yaml.safe_load(text)})
    env = make_environment(game.environment)
    assert env.n_actions == len(game.actions) + 1
    assert len(game.controls) == len(info.buttons) > 2
    env.close()


def test_list_buttons_takes_the_names_of_a_console_and_leaves_out_unnamed_bits() -> None:
    buttons = list_buttons(spaces.MultiBinary(4), ["B", None, "LEFT", "RIGHT"])
    assert buttons == [("B", {"0": 1}), ("LEFT", {"2": 1}), ("RIGHT", {"3": 1})]
    _, text = draft_manifest(EnvironmentInfo("Retro-v0", 0, None, 60, buttons=buttons), None)
    drafted = yaml.safe_load(text)
    assert drafted["buttons"]["exclusive"] == [["left", "right"]]
    assert [control["keys"] for control in drafted["controls"]] == [["Digit1"], ["ArrowLeft"], ["ArrowRight"]]
