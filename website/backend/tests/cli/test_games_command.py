"""`skill-arcade games` accepts former ids of games wherever it accepts an id."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from skill_arcade.cli import app
from skill_arcade.games.catalogue import MANIFESTS

FORMER = "frozen-lake-8x8"


@pytest.fixture
def games_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(MANIFESTS / "frozen-lake.yaml", tmp_path)
    monkeypatch.setenv("GAMES_FOLDER", str(tmp_path))
    return tmp_path


def test_check_of_a_former_id_plays_its_variant(games_folder: Path) -> None:
    manifest = games_folder / "frozen-lake.yaml"
    manifest.write_text(manifest.read_text().replace("map_name: 8x8}, alias", "map_name: 9x9}, alias"))
    result = CliRunner().invoke(app, ["games", "check", FORMER])
    assert result.exit_code != 0
    assert "9x9" in result.output


def test_covers_of_a_former_id_are_those_of_its_game(games_folder: Path) -> None:
    result = CliRunner().invoke(app, ["games", "covers", FORMER, "frozen-lake"])
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (games_folder / "covers").iterdir()) == ["frozen-lake.webp"]
    assert "Rendered 1 games" in result.output


@pytest.mark.parametrize("command", ["check", "covers"])
def test_unknown_id_is_not_found(games_folder: Path, command: str) -> None:
    result = CliRunner().invoke(app, ["games", command, "no-such-game"])
    assert result.exit_code == 1
    assert "no-such-game" in result.output
