"""Every game of the catalogue plays as its manifest says."""

import multiprocessing
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import ale_py  # noqa: F401 registers ALE's games
import gymnasium
import pytest
from PIL import Image

from skill_arcade.environments.atari import AtariPlayableEnv
from skill_arcade.environments.control_probe import ineffective_controls, probe_controls
from skill_arcade.environments.cover_art import render_cover_art
from skill_arcade.environments.factory import describe_environment, make_environment
from skill_arcade.environments.manifest_validation import validate_game
from skill_arcade.games.catalogue import MANIFESTS, load_catalogue, load_manifest
from skill_arcade.games.draft import draft_manifest
from skill_arcade.games.manifest import Binding, Control, Manifest, RealTime

GAMES: Mapping[str, Manifest] = load_catalogue().games
SAMPLE = [
    "assault", "atlantis", "blackjack", "breakout", "cart-pole", "fishing-derby", "frozen-lake", "hangman",
    "minigrid-door-key-6x6", "ms-pacman", "pendulum", "tower-of-hanoi",
]  # fmt: skip
FAR = {
    # Only in front of an open elevator, five screens from the start: `test_the_policeman_enters_the_elevator`.
    "keystone-kapers": {"up"},
}


def test_the_catalogue_has_every_game_that_ale_supports() -> None:
    theirs = {spec for spec in gymnasium.registry if spec.startswith("ALE/") and spec.endswith("-v5")}
    assert theirs == {game.environment.id for game in GAMES.values() if game.environment.id.startswith("ALE/")}
    assert len(theirs) == 104


def test_every_game_says_what_a_player_needs() -> None:
    for game in GAMES.values():
        assert 20 < len(game.summary) < 250, game.id
        assert game.summary.endswith((".", "?")), game.id
        assert game.tags, game.id


@pytest.mark.parametrize("name", SAMPLE)
def test_a_game_plays_as_its_manifest_says(name: str) -> None:
    assert validate_game(GAMES[name]) == []
    assert ineffective_controls(GAMES[name]) == set()


@pytest.mark.slow
def test_every_game_plays_as_its_manifest_says() -> None:
    """All 179, in two to three minutes on two cores."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        faults = dict(zip(GAMES, pool.map(validate_game, GAMES.values()), strict=True))
        silent = dict(zip(GAMES, pool.map(ineffective_controls, GAMES.values()), strict=True))
    assert {name: found for name, found in faults.items() if found} == {}
    assert {name: found for name, found in silent.items() if found} == FAR


def test_the_policeman_enters_the_elevator() -> None:
    """What random play does not find: up, in front of the elevator, once it is open."""
    game = GAMES["keystone-kapers"]
    env = make_environment(game.environment)
    assert isinstance(env, AtariPlayableEnv)
    actions = {binding.press: binding.action for binding in game.actions}
    env.reset(4)
    for action, steps in ((0, 60), (actions["left",], 624), (0, 480)):
        for _ in range(steps):
            env.step(action)
    player_lock, seen = env.save(), []
    for action in (actions["up",], 0):
        env.restore(player_lock)
        for _ in range(24):
            env.step(action)
        seen.append(env.picture().pixels.copy())
    env.close()
    assert (seen[0] != seen[1]).any()


def test_a_control_that_does_nothing_is_not_heard() -> None:
    game = GAMES["breakout"]
    fire = next(binding for binding in game.actions if binding.press == ("fire",))
    deaf = Control(name="deaf", label="Nothing", keys=("KeyQ",))
    told = game.model_copy(
        update={"controls": (deaf,), "actions": (Binding(press=("deaf",), action=1), fire), "noop": 0}
    )
    assert probe_controls(told, moments=40)["deaf"].seen  # that is fire
    blackjack = GAMES["blackjack"]
    up = blackjack.model_copy(update={"controls": (deaf,), "actions": (Binding(press=("deaf",), action=2),)})
    heard = probe_controls(up, moments=40)["deaf"]
    assert (heard.moments, heard.seen, heard.stirred) == (40, False, False)


def test_a_manifest_that_asks_for_too_much_is_told_so() -> None:
    game = GAMES["breakout"]
    wrong = game.model_copy(update={"keep_info": ("health",), "noop": 1})
    assert validate_game(wrong) == [
        "noop: action 1 means FIRE",
        "info has no 'health'; it has episode_frame_number, frame_number, lives",
    ]


def test_an_environment_that_is_not_there_is_told_so() -> None:
    game = GAMES["breakout"]
    environment = game.environment.model_copy(update={"id": "nowhere:Nothing-v0"})
    [fault] = validate_game(game.model_copy(update={"environment": environment}))
    assert fault == "environment: nowhere:Nothing-v0 needs the package nowhere, which is not installed here"


@pytest.mark.parametrize("env_id", ["ALE/Pong-v5", "CliffWalking-v1", "MountainCar-v0", "Pendulum-v1"])
def test_a_drafted_manifest_is_a_game_that_plays(env_id: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    game_id, text = draft_manifest(describe_environment(env_id), None)
    path = tmp_path_factory.mktemp("games") / f"{game_id}.yaml"
    path.write_text(text)
    assert validate_game(load_manifest(path)) == []


def test_a_vector_is_drafted_as_less_and_more_of_each_axis(tmp_path: Path) -> None:
    game_id, text = draft_manifest(describe_environment("BipedalWalker-v3"), None)
    path = tmp_path / f"{game_id}.yaml"
    path.write_text(text)
    game = load_manifest(path)
    assert len(game.controls) == 8
    assert (game.noop, len(game.actions)) == (40, 80)
    presses = {binding.action: set(binding.press) for binding in game.actions}
    assert presses[0] == {f"axis-{axis}-less" for axis in (1, 2, 3, 4)}
    assert presses[41] == {"axis-4-more"}
    assert ineffective_controls(game, 30) == set()


def test_every_game_has_a_cover_and_a_moving_preview() -> None:
    for kind, frames in (("covers", 1), ("previews", 2)):
        for name in GAMES:
            with Image.open(MANIFESTS.parent / kind / f"{name}.webp") as picture:
                assert getattr(picture, "n_frames", 1) >= frames, (kind, name)


def test_speeds_are_offered_for_games_that_run_by_time_only_and_never_faster() -> None:
    offering = {name for name, game in GAMES.items() if "speed" in game.choices()}
    assert offering
    for name in offering:
        pace = GAMES[name].pace
        assert isinstance(pace, RealTime)
        assert 1 in pace.speeds
        assert max(pace.speeds) == 1, name


def test_a_measured_action_is_steered_by_mouse_and_stick_too() -> None:
    measured = [game for game in GAMES.values() if game.environment.id == "SkillArcade/Levels-v0"]
    assert len(measured) >= 3
    assert all(game.steer for game in measured)


def test_a_portrait_is_small_and_the_same_each_time() -> None:
    first, again = (render_cover_art(GAMES["minigrid-empty-5x5"], seeds=(1,)) for _ in range(2))
    assert first == again
    assert first.cover[8:12] == b"WEBP"
    assert len(first.cover) < 15_000
    assert len(first.preview) < 80_000
