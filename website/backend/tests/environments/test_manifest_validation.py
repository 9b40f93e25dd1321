"""Checks that the games of the catalogue match their manifests."""

import json
import multiprocessing
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import ale_py  # noqa: F401 registers ALE's games
import gymnasium
import pytest
from PIL import Image

from skill_arcade.environments.atari import AtariPlayableEnv
from skill_arcade.environments.atari_facts import find_atari_facts
from skill_arcade.environments.control_probe import ineffective_controls, probe_controls
from skill_arcade.environments.cover_art import render_cover_art
from skill_arcade.environments.factory import describe_environment, make_environment
from skill_arcade.environments.manifest_validation import validate_game
from skill_arcade.games.catalogue import MANIFESTS, load_catalogue, load_manifests, read_manifest_file
from skill_arcade.games.draft import draft_manifest
from skill_arcade.games.families import expand_family
from skill_arcade.games.manifest import Binding, Control, Manifest, RealTime

GAMES: Mapping[str, Manifest] = load_catalogue().games
SAMPLE = [
    "assault", "atlantis", "blackjack", "breakout", "cart-pole", "fishing-derby", "frozen-lake", "hangman",
    "minigrid-door-key", "ms-pacman", "pendulum", "tower-of-hanoi",
]  # fmt: skip
UNREACHED_CONTROLS = {
    # Only works at an open elevator: test_keystone_kapers_up_at_open_elevator_changes_picture.
    "keystone-kapers": {"up"},
}


def test_catalogue_contains_every_game_of_ale() -> None:
    ale_ids = {spec for spec in gymnasium.registry if spec.startswith("ALE/") and spec.endswith("-v5")}
    assert ale_ids == {game.environment.id for game in GAMES.values() if game.environment.id.startswith("ALE/")}
    assert len(ale_ids) == 104


def test_manifest_of_each_game_has_summary_and_tags() -> None:
    for game in GAMES.values():
        assert 20 < len(game.summary) < 250, game.id
        assert game.summary.endswith((".", "?")), game.id
        assert game.tags, game.id


def find_changed_facts(names: Iterable[str]) -> list[str]:
    path = MANIFESTS / "atari.yaml"
    content = read_manifest_file(path)
    written = json.loads((path.parent / content["facts"]).read_text())
    games = expand_family(path, content, with_facts=False)
    return [name for name in names if find_atari_facts(games[name]) != written[name]]


def test_facts_of_sample_are_what_ale_says() -> None:
    assert find_changed_facts(["adventure", "atlantis", "backgammon", "breakout", "hangman", "pooyan"]) == []


@pytest.mark.slow
def test_facts_of_all_games_are_what_ale_says() -> None:
    assert find_changed_facts(name for name, game in GAMES.items() if game.environment.id.startswith("ALE/")) == []


@pytest.mark.parametrize("name", SAMPLE)
def test_validate_game_of_sample_finds_no_problems(name: str) -> None:
    assert validate_game(GAMES[name]) == []
    assert ineffective_controls(GAMES[name]) == set()


@pytest.mark.slow
def test_validate_game_of_whole_catalogue_finds_no_problems() -> None:
    """Takes two to three minutes on two cores."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        faults = dict(zip(GAMES, pool.map(validate_game, GAMES.values()), strict=True))
        ineffective = dict(zip(GAMES, pool.map(ineffective_controls, GAMES.values()), strict=True))
    assert {name: found for name, found in faults.items() if found} == {}
    assert {name: found for name, found in ineffective.items() if found} == UNREACHED_CONTROLS


def test_keystone_kapers_up_at_open_elevator_changes_picture() -> None:
    """Random play does not reach the elevator, where the control up has an effect."""
    game = GAMES["keystone-kapers"]
    env = make_environment(game.environment)
    assert isinstance(env, AtariPlayableEnv)
    actions = {binding.press: binding.action for binding in game.actions}
    env.reset(4)
    for action, steps in ((0, 60), (actions["left",], 624), (0, 480)):
        for _ in range(steps):
            env.step(action)
    saved, pictures = env.save(), []
    for action in (actions["up",], 0):
        env.restore(saved)
        for _ in range(24):
            env.step(action)
        pictures.append(env.picture().pixels.copy())
    env.close()
    assert (pictures[0] != pictures[1]).any()


def test_probe_controls_of_ineffective_control_sees_nothing() -> None:
    game = GAMES["breakout"]
    fire = next(binding for binding in game.actions if binding.press == ("fire",))
    unused = Control(name="unused", label="Nothing", keys=("KeyQ",))
    relabelled = game.model_copy(
        update={"controls": (unused,), "actions": (Binding(press=("unused",), action=1), fire), "noop": 0}
    )
    assert probe_controls(relabelled, moments=40)["unused"].seen  # the control is bound to fire
    blackjack = GAMES["blackjack"]
    up = blackjack.model_copy(update={"controls": (unused,), "actions": (Binding(press=("unused",), action=2),)})
    result = probe_controls(up, moments=40)["unused"]
    assert (result.moments, result.seen, result.stirred) == (40, False, False)


def test_validate_game_with_unknown_info_and_wrong_noop_reports_both() -> None:
    game = GAMES["breakout"]
    invalid = game.model_copy(update={"keep_info": ("health",), "noop": 1})
    noop, info = validate_game(invalid)
    assert noop.startswith("noop: ")
    assert "FIRE" in noop
    assert info.startswith("info ")
    assert "health" in info


def test_validate_game_with_missing_package_reports_environment() -> None:
    game = GAMES["breakout"]
    environment = game.environment.model_copy(update={"id": "nowhere:Nothing-v0"})
    [fault] = validate_game(game.model_copy(update={"environment": environment}))
    assert fault.startswith("environment: ")
    assert "nowhere" in fault


@pytest.mark.parametrize("env_id", ["ALE/Pong-v5", "CliffWalking-v1", "MountainCar-v0", "Pendulum-v1"])
def test_draft_manifest_is_valid_game(env_id: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    game_id, text = draft_manifest(describe_environment(env_id), None)
    path = tmp_path_factory.mktemp("games") / f"{game_id}.yaml"
    path.write_text(text)
    assert validate_game(load_manifests(path)[path.stem]) == []


def test_draft_manifest_of_vector_actions_has_two_controls_per_axis(tmp_path: Path) -> None:
    game_id, text = draft_manifest(describe_environment("BipedalWalker-v3"), None)
    path = tmp_path / f"{game_id}.yaml"
    path.write_text(text)
    game = load_manifests(path)[path.stem]
    assert len(game.controls) == 8
    assert (game.noop, len(game.actions)) == (40, 80)
    presses = {binding.action: set(binding.press) for binding in game.actions}
    assert presses[0] == {f"axis-{axis}-less" for axis in (1, 2, 3, 4)}
    assert presses[41] == {"axis-4-more"}
    assert ineffective_controls(game, 30) == set()


def test_catalogue_games_have_cover_and_animated_preview() -> None:
    for kind, frames in (("covers", 1), ("previews", 2)):
        for name in GAMES:
            with Image.open(MANIFESTS.parent / kind / f"{name}.webp") as picture:
                assert getattr(picture, "n_frames", 1) >= frames, (kind, name)


def test_speed_options_exist_only_for_real_time_games_and_at_most_1() -> None:
    with_speeds = {name for name, game in GAMES.items() if "speed" in game.choices()}
    assert with_speeds
    for name in with_speeds:
        pace = GAMES[name].pace
        assert isinstance(pace, RealTime)
        assert 1 in pace.speeds
        assert max(pace.speeds) == 1, name


def test_discretized_games_support_analog_steering() -> None:
    discretized = [game for game in GAMES.values() if game.environment.id == "SkillArcade/Levels-v0"]
    assert len(discretized) >= 3
    assert all(game.steer for game in discretized)


def test_cover_art_is_small_and_reproducible() -> None:
    first, again = (render_cover_art(GAMES["minigrid-empty"], seeds=(1,)) for _ in range(2))
    assert first == again
    assert first.cover[8:12] == b"WEBP"
    assert len(first.cover) < 15_000
    assert len(first.preview) < 80_000
