"""Loading a folder of manifests, and errors that name file, field and reason."""

from pathlib import Path

import pytest

from skill_arcade.errors import ManifestError
from skill_arcade.games.catalogue import load_catalogue

VALID_MANIFEST = """\
name: Pong
summary: Let the ball past the other paddle.
environment: {id: ALE/Pong-v5}
pace: {kind: real-time, hz: 60}
noop: 0
controls: [{name: up, label: Up, keys: [ArrowUp]}]
actions: [{press: [up], action: 2}]
"""


def test_load_catalogue_uses_file_name_as_id(tmp_path: Path) -> None:
    (tmp_path / "pong.yaml").write_text(VALID_MANIFEST)
    (tmp_path / "notes.txt").write_text("no game")
    games = load_catalogue(tmp_path).games
    assert list(games) == ["pong"]
    assert games["pong"].id == "pong"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (VALID_MANIFEST.replace("hz: 60", "hz: 600"), "pace.real-time.hz: "),
        (VALID_MANIFEST.replace("noop: 0\n", ""), "noop: "),
        (VALID_MANIFEST.replace("press: [up]", "press: [op]"), "actions.0.press: "),
        (VALID_MANIFEST.replace("name: Pong\n", ""), "name: "),
        (VALID_MANIFEST + "colour: red\n", "colour: "),
        (VALID_MANIFEST + "id: tennis\n", "id: "),
        ("- a\n- b\n", "mapping"),
        ("{", "YAML"),
    ],
)
def test_load_catalogue_with_invalid_manifest_names_file_and_field(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "pong.yaml").write_text(text)
    with pytest.raises(ManifestError) as caught:
        load_catalogue(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'pong.yaml'}: ")
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)
