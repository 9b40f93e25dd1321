"""Families: many games in one file, and errors that name file, game and field."""

from pathlib import Path

import pytest

from skill_arcade.errors import ManifestError
from skill_arcade.games.catalogue import load_catalogue

FAMILY = """\
facts: facts.json
family:
  environment: {kwargs: {frameskip: 1}}
  pace: {kind: real-time, hz: 60}
  noop: 0
  controls: [{name: up, label: Up, keys: [ArrowUp]}, {name: fire, label: Fire, keys: [Space]}]
  actions: [{press: [up], action: 2}, {press: [fire], action: 1}, {press: [up, fire], action: 3}]
  show: {lives: lives, pixel_aspect: 1.75}
  tags: [atari]
games:
  pong:
    name: Pong
    summary: Let the ball past the other paddle.
    environment: {id: ALE/Pong-v5}
    uses: [up]
    show: {lives: null}
    tags: [paddle]
  boxing:
    name: Boxing
    summary: Hit.
    environment: {id: ALE/Boxing-v5, kwargs: {full_action_space: true}}
"""
FACTS = '{"pong": {"options": {"difficulty": [0, 1]}, "show": {"pixel_aspect": 2.08}}}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "atari.yaml").write_text(FAMILY)
    (tmp_path / "facts.json").write_text(FACTS)
    return tmp_path


def test_family_with_defaults_and_facts_completes_each_game(folder: Path) -> None:
    games = load_catalogue(folder).games
    pong, boxing = games["pong"], games["boxing"]
    assert list(games) == ["boxing", "pong"]
    assert pong.id == "pong"
    assert pong.environment.kwargs == {"frameskip": 1}
    assert boxing.environment.kwargs == {"frameskip": 1, "full_action_space": True}
    assert (pong.show.lives, pong.show.pixel_aspect) == (None, 2.08)
    assert (boxing.show.lives, boxing.show.pixel_aspect) == ("lives", 1.75)
    assert pong.options == {"difficulty": (0, 1)}
    assert boxing.options == {}
    assert pong.tags == ("atari", "paddle")


def test_family_with_uses_keeps_only_those_controls_and_actions(folder: Path) -> None:
    games = load_catalogue(folder).games
    assert [control.name for control in games["pong"].controls] == ["up"]
    assert [binding.action for binding in games["pong"].actions] == [2]
    assert [binding.action for binding in games["boxing"].actions] == [2, 1, 3]


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("hz: 60", "hz: 600", "atari.yaml: pong: pace.real-time.hz: "),
        ("uses: [up]", "uses: [up, jump]", "atari.yaml: pong: uses: "),
        ("uses: [up]", "uses: up", "atari.yaml: pong: uses: "),
        ("    name: Boxing\n", "    id: boxing\n", "atari.yaml: boxing: id: "),
        ("family:\n", "families: {}\nfamily:\n", "atari.yaml: unknown field families"),
        ("facts: facts.json", "facts: none.json", "none.json: "),
        ("  pong:\n", "  tennis:\n", "atari.yaml: facts.json has pong"),
    ],
)
def test_family_with_invalid_field_names_file_game_and_field(folder: Path, old: str, new: str, place: str) -> None:
    assert old in FAMILY
    (folder / "atari.yaml").write_text(FAMILY.replace(old, new, 1))
    with pytest.raises(ManifestError) as caught:
        load_catalogue(folder)
    assert str(caught.value).startswith(f"{folder}/{place}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["games: [pong]\n", "games: {pong: 3}\n", "family: 3\ngames: {}\n"])
def test_family_of_other_shape_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "atari.yaml").write_text(text)
    with pytest.raises(ManifestError, match="mapping"):
        load_catalogue(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"pong": 3}'])
def test_family_with_unreadable_facts_names_their_file(folder: Path, text: str) -> None:
    (folder / "facts.json").write_text(text)
    with pytest.raises(ManifestError, match=r"facts\.json: "):
        load_catalogue(folder)


def test_load_catalogue_with_two_games_of_one_id_names_the_second_file(folder: Path) -> None:
    (folder / "more.yaml").write_text(FAMILY.replace("facts: facts.json\n", ""))
    with pytest.raises(ManifestError, match=r"more\.yaml: pong: "):
        load_catalogue(folder)
