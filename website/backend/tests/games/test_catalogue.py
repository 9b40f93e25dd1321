"""A folder of manifests is a catalogue, and what is wrong in one is said with file, field and reason."""

from pathlib import Path

import pytest

from skill_arcade.errors import ManifestError
from skill_arcade.games.catalogue import load_catalogue

GOOD = """\
name: Pong
summary: Let the ball past the other paddle.
environment: {id: ALE/Pong-v5}
pace: {kind: real-time, hz: 60}
noop: 0
controls: [{name: up, label: Up, keys: [ArrowUp]}]
actions: [{press: [up], action: 2}]
"""


def test_a_file_is_a_game_and_its_name_is_the_id(tmp_path: Path) -> None:
    (tmp_path / "pong.yaml").write_text(GOOD)
    (tmp_path / "notes.txt").write_text("no game")
    games = load_catalogue(tmp_path).games
    assert list(games) == ["pong"]
    assert games["pong"].id == "pong"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (GOOD.replace("hz: 60", "hz: 600"), "pace.real-time.hz: Input should be less than or equal to 240"),
        (GOOD.replace("noop: 0\n", ""), "noop: a real-time game needs the action for when nothing is held"),
        (GOOD.replace("press: [up]", "press: [op]"), "actions.0.press: no control is named op"),
        (GOOD.replace("name: Pong\n", ""), "name: Field required"),
        (GOOD + "colour: red\n", "colour: Extra inputs are not permitted"),
        (GOOD + "id: tennis\n", "id: the file's name says 'pong'"),
        ("- a\n- b\n", "a manifest is a mapping"),
        ("{", "this is not YAML"),
    ],
)
def test_a_wrong_manifest_is_told_by_file_field_and_reason(tmp_path: Path, wrong: str, sentence: str) -> None:
    (tmp_path / "pong.yaml").write_text(wrong)
    with pytest.raises(ManifestError) as caught:
        load_catalogue(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'pong.yaml'}: ")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
