"""Variants of games, such as sizes, and the former ids of games that became a variant."""

import json
from pathlib import Path
from typing import Any

import gymnasium
import pytest

from skill_arcade.environments.factory import make_environment
from skill_arcade.errors import InvalidRequest, ManifestError
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.manifest import EnvironmentSpec, Manifest, hash_manifest

FIXTURES = Path(__file__).parents[1] / "fixtures" / "game_ids"
CATALOGUE = load_catalogue()
GAMES = CATALOGUE.games
VARIANTS = [
    pytest.param(game, option, value, id=f"{game.id}-{value}")
    for game in GAMES.values()
    for option, variants in game.variants().items()
    for value in variants
]
REPLACED = {
    # These v0 environments are not what their names say: six rooms, and a ball in place of a box with a key.
    f"minigrid:MiniGrid-{name}-v0": f"minigrid:MiniGrid-{name}-v1"
    for name in (
        "MultiRoom-N4-S5",
        "ObstructedMaze-2Dlhb",
        "ObstructedMaze-1Q",
        "ObstructedMaze-2Q",
        "ObstructedMaze-Full",
    )
}
LAKE = """\
name: Lake
summary: Cross the ice to the present.
environment: {id: FrozenLake-v1}
options: {map: {4x4: {}, 8x8: {kwargs: {map_name: 8x8}, alias: old-lake}}}
pace: {kind: turn-based}
controls: [{name: left, label: Left, keys: [ArrowLeft]}]
actions: [{press: [left], action: 0}]
"""


def read_former_games(commit: str) -> dict[str, dict[str, Any]]:
    """Read the games of an earlier version: by id, name and environment."""
    games: dict[str, dict[str, Any]] = json.loads((FIXTURES / f"{commit}.json").read_text())
    return games


@pytest.mark.parametrize("commit", ["c53446f", "9716ad9"])
def test_every_former_id_resolves_to_the_environment_it_had(commit: str) -> None:
    former = read_former_games(commit)
    assert len(former) == {"c53446f": 179, "9716ad9": 213}[commit]
    for game_id, fields in former.items():
        found = CATALOGUE.find(game_id)
        assert found is not None, game_id
        game, options = found
        environment = game.choose(options).environment.model_dump()
        then = fields["environment"]
        assert environment == {**then, "id": REPLACED.get(then["id"], then["id"])}, game_id


def test_catalogue_has_games_and_variants() -> None:
    n_variants = sum(max([1, *map(len, game.variants().values())]) for game in GAMES.values())
    assert (len(GAMES), n_variants) == (164, 239)
    prefixes = [game_id.partition("-")[0] for game_id in GAMES]
    assert (prefixes.count("minigrid"), prefixes.count("babyai")) == (22, 24)


def test_choices_of_all_games_make_different_environments() -> None:
    made: dict[str, str] = {}
    for game in GAMES.values():
        for chosen in [{}, *({name: value} for name, values in game.variants().items() for value in values)]:
            if not game.normalize_options(chosen) and chosen:
                continue  # the default, which is there without being chosen
            environment = game.choose(chosen).environment.model_dump_json()
            assert environment not in made, (game.id, chosen, made.get(environment))
            made[environment] = f"{game.id} {chosen}"


@pytest.mark.parametrize(("game", "option", "value"), VARIANTS)
def test_variant_makes_its_environment(game: Manifest, option: str, value: str) -> None:
    chosen = game.choose({option: value})
    env = make_environment(chosen.environment)
    try:
        env.reset(3)
        assert max(binding.action for binding in game.actions) < env.n_actions
        env.step(game.actions[0].action)
        assert env.picture().rgb().size
    finally:
        env.close()


def test_multiroom_has_the_number_of_its_option() -> None:
    game = GAMES["minigrid-multi-room"]
    for value in game.choices()["rooms"]:
        name = game.choose({"rooms": value}).environment.id
        env: Any = gymnasium.make(name).unwrapped
        for seed in range(5):
            env.reset(seed=seed)
            assert len(getattr(env, "rooms")) == int(value)  # noqa: B009


@pytest.mark.parametrize(
    ("value", "locks"), [("2Dlhb", 2), ("1Q", 2), ("2Q", 4), ("Full", 8)], ids=["2Dlhb", "1Q", "2Q", "Full"]
)
def test_obstructed_maze_has_a_key_and_a_ball_for_each_lock(value: str, locks: int) -> None:
    game = GAMES["minigrid-obstructed-maze"]
    env: Any = gymnasium.make(game.choose({"maze": value}).environment.id).unwrapped
    for seed in range(30):
        env.reset(seed=seed)
        kinds = [cell.type for cell in env.grid.grid if cell is not None]
        # One ball more is the one that is to be found.
        assert (kinds.count("box"), kinds.count("ball")) == (locks, locks + 1)


def test_normalize_options_drops_the_default_variant() -> None:
    game = GAMES["tower-of-hanoi"]
    assert game.normalize_options({"disks": "3"}) == {}
    assert game.normalize_options({"disks": "5"}) == {"disks": "5"}
    assert GAMES["breakout"].normalize_options({"mode": "0"}) == {"mode": "0"}
    with pytest.raises(InvalidRequest, match=r"disks.*9"):
        game.normalize_options({"disks": "9"})


def test_hash_manifest_differs_by_variant_and_ignores_other_variants() -> None:
    game = GAMES["tower-of-hanoi"]
    hashes = {hash_manifest(game, {"disks": value}) for value in game.choices()["disks"]}
    assert len(hashes) == 5
    assert hash_manifest(game, {"disks": "3"}) == hash_manifest(game, {})
    variants = game.variants()["disks"]
    fewer = game.model_copy(update={"options": {"disks": {key: variants[key] for key in ("3", "4")}}})
    assert hash_manifest(fewer, {"disks": "4"}) == hash_manifest(game, {"disks": "4"})
    cart_pole = GAMES["cart-pole"]
    assert hash_manifest(cart_pole, {"speed": "0.5"}) == hash_manifest(cart_pole, {})


def test_hash_manifest_of_game_without_variants_is_of_its_fields() -> None:
    """So that a race against an earlier episode of such a game has the same seed as before."""
    manifest = GAMES["frozen-lake"]
    plain = Manifest.model_validate({**manifest.model_dump(), "options": {}})
    assert hash_manifest(manifest, {}) == hash_manifest(plain, {})


def test_find_former_id_with_options_prefers_what_is_chosen() -> None:
    assert CATALOGUE.find("tower-of-hanoi-4") == (GAMES["tower-of-hanoi"], {"disks": "4"})
    assert CATALOGUE.find("tower-of-hanoi-4", {"disks": "3"}) == (GAMES["tower-of-hanoi"], {})
    assert CATALOGUE.find("minigrid-empty-5x5") == (GAMES["minigrid-empty"], {})
    assert CATALOGUE.find("tower-of-hanoi-9") is None


def test_variant_changes_id_and_adds_arguments(tmp_path: Path) -> None:
    (tmp_path / "lake.yaml").write_text(LAKE)
    game = load_catalogue(tmp_path).games["lake"]
    assert game.choose({}).environment == EnvironmentSpec(id="FrozenLake-v1")
    assert game.choose({"map": "8x8"}).environment.kwargs == {"map_name": "8x8"}
    assert game.resolve_variant({"map": "8x8"}).options == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (LAKE.replace("4x4: {}", "4x4: {id: FrozenLake8x8-v1}"), "default"),
        (LAKE.replace("kwargs: {map_name: 8x8}, ", ""), "default"),
        (LAKE.replace("4x4: {}, ", ""), "options.map"),
        (LAKE.replace("options: {", "options: {size: {a: {}, b: {id: X-v0}}, "), "only one option"),
        (LAKE.replace("old-lake", "lake"), "'lake'"),
        (LAKE.replace("alias: old-lake", "alias: Old Lake"), "alias"),
        (LAKE.replace("4x4: {}", "4x4: {alias: old-lake}"), "'old-lake'"),
    ],
)
def test_load_catalogue_with_invalid_variants_names_reason(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "lake.yaml").write_text(text)
    with pytest.raises(ManifestError) as caught:
        load_catalogue(tmp_path)
    assert problem in str(caught.value)
