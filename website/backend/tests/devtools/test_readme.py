"""What README says can be done as written."""

import re
from pathlib import Path

import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine

from devtools.paths import BACKEND, ROOT
from skill_arcade.environments.making import make_stage
from skill_arcade.games.catalogue import load_catalogue
from tests.recorded import record_episode

README = (ROOT / "README.md").read_text()


def list_blocks(language: str) -> list[str]:
    """What README shows in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


QUERIES = list_blocks("sql")


def test_readme_has_three_queries() -> None:
    assert len(QUERIES) == 3


@pytest.mark.anyio
@pytest.mark.parametrize("query", QUERIES)
async def test_a_query_of_readme_runs_as_written(query: str, engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        found = await connection.execute(text(query))
        assert found.all() == []


def test_every_room_is_on_the_map() -> None:
    backend_test_paths = {folder.parent.name for folder in (BACKEND / "skill_arcade").glob("*/__init__.py")}
    shown = set(re.findall(r"^\| \[`(\w+)/`\]", README, re.MULTILINE))
    assert shown == backend_test_paths - {"cli"}


def test_the_python_of_readme_runs_as_written(
    database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded = record_episode(database_url, tmp_path / "objects", game="breakout")
    monkeypatch.setenv("DATABASE_URL", database_url.render_as_string(hide_password=False))
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(tmp_path))
    (example,) = list_blocks("python")
    exec(compile(example, "README.md", "exec"), {})
    assert capsys.readouterr().out == f"{recorded.id} won 3.0 123\n"


def test_the_game_of_readme_can_be_played(tmp_path: Path) -> None:
    (manifest,) = list_blocks("yaml")
    (tmp_path / "acrobot.yaml").write_text(manifest)
    game = load_catalogue(tmp_path).games["acrobot"]
    stage = make_stage(game.environment)
    stage.reset(1)
    for binding in game.actions:
        stage.step(binding.action)
    assert stage.picture().rgb().ndim == 3
    stage.close()
