"""Every game of the catalogue plays as its manifest says."""

from collections.abc import Mapping

import ale_py  # noqa: F401 registers ALE's games
import gymnasium
import pytest

from skill_arcade.environments.listening import hear_controls, silent_controls
from skill_arcade.environments.making import describe_environment
from skill_arcade.environments.portraits import draw_portrait
from skill_arcade.environments.trial import try_game
from skill_arcade.games.catalogue import load_catalogue, load_manifest
from skill_arcade.games.draft import draft_manifest
from skill_arcade.games.manifest import Manifest

GAMES: Mapping[str, Manifest] = load_catalogue().games
SAMPLE = ["breakout", "atlantis", "ms-pacman", "tower-of-hanoi", "cart-pole", "frozen-lake", "minigrid-empty-5x5"]
UNHEARD: dict[str, set[str]] = {
    # ALE offers these, and neither picture nor memory changed at any of 600 moments: the cartridge does not read them.
    "blackjack": {"up", "down"},
    "casino": {"up", "down"},
    "hangman": {"left", "right"},
    # These change the console's memory, but not the picture where the script comes: it finds no lift and no ladder, and
    # some games only note how the stick stands.
    "gopher": {"up"},
    "keystone-kapers": {"up"},
    "mario-bros": {"up", "down"},
    "pitfall-2": {"up", "down"},
}
DEAF = ("blackjack", "casino", "hangman")


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
    assert try_game(GAMES[name]) == []
    assert silent_controls(GAMES[name]) == set()


@pytest.mark.slow  # five minutes in all
@pytest.mark.parametrize("name", GAMES)
def test_every_game_plays_as_its_manifest_says(name: str) -> None:
    assert try_game(GAMES[name]) == []
    heard = hear_controls(GAMES[name])
    assert {control for control, hearing in heard.items() if not hearing.seen} == UNHEARD.get(name, set())
    for control in UNHEARD.get(name, ()):
        assert heard[control].stirred is (name not in DEAF), control


def test_a_control_that_the_cartridge_does_not_read_is_not_heard() -> None:
    heard = hear_controls(GAMES["blackjack"], 40)
    assert {control for control, hearing in heard.items() if not hearing.seen} == {"up", "down"}
    assert (heard["up"].stirred, heard["up"].moments) == (False, 40)


def test_a_manifest_that_asks_for_too_much_is_told_so() -> None:
    game = GAMES["breakout"]
    wrong = game.model_copy(update={"keep_info": ("health",), "noop": 1})
    assert try_game(wrong) == [
        "noop: action 1 means FIRE",
        "info has no 'health'; it has episode_frame_number, frame_number, lives",
    ]


def test_an_environment_that_is_not_there_is_told_so() -> None:
    game = GAMES["breakout"]
    environment = game.environment.model_copy(update={"id": "nowhere:Nothing-v0"})
    [fault] = try_game(game.model_copy(update={"environment": environment}))
    assert fault == "environment: nowhere:Nothing-v0 needs the package nowhere, which is not installed here"


@pytest.mark.parametrize("env_id", ["ALE/Pong-v5", "CliffWalking-v1", "MountainCar-v0", "Pendulum-v1"])
def test_a_drafted_manifest_is_a_game_that_plays(env_id: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    game_id, text = draft_manifest(describe_environment(env_id), None)
    path = tmp_path_factory.mktemp("games") / f"{game_id}.yaml"
    path.write_text(text)
    assert try_game(load_manifest(path)) == []


def test_a_portrait_is_small_and_the_same_each_time() -> None:
    first, again = (draw_portrait(GAMES["minigrid-empty-5x5"], seeds=(1,)) for _ in range(2))
    assert first == again
    assert first.cover[8:12] == b"WEBP"
    assert len(first.cover) < 15_000
    assert len(first.preview) < 80_000
