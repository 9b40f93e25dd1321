"""The SQL, Python and YAML examples of README and the docs run as written."""

import re
from pathlib import Path

import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.environments.factory import make_environment
from skill_arcade.games.catalogue import load_catalogue
from tests.support.recorded_episode import record_episode

ROOT = Path(__file__).parents[4]
DOCS = ROOT / "website" / "docs"


def list_blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of this language in a Markdown page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.anyio
@pytest.mark.parametrize("query", list_blocks(DOCS / "reading.md", "sql"))
async def test_docs_sql_example_runs_on_empty_database(query: str, engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        rows = await connection.execute(text(query))
        assert rows.all() == []


def run_python_example(
    page: Path, example: str, database_url: URL, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url.render_as_string(hide_password=False))
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(home))
    exec(compile(example, page.name, "exec"), {})


def test_reading_python_example_prints_recorded_episode(
    database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded = record_episode(database_url, tmp_path / "objects", game="breakout")
    (example,) = list_blocks(DOCS / "reading.md", "python")
    run_python_example(DOCS / "reading.md", example, database_url, tmp_path, monkeypatch)
    assert capsys.readouterr().out == f"{recorded.id} won 3.0 123\n"


def test_readme_python_example_prints_recorded_episode(
    database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded = record_episode(database_url, tmp_path / "objects", game="breakout")
    (example,) = list_blocks(ROOT / "README.md", "python")
    uncertified = example.replace(", certified=True", "")
    assert uncertified != example
    run_python_example(ROOT / "README.md", uncertified, database_url, tmp_path, monkeypatch)
    assert capsys.readouterr().out.startswith(f"{recorded.id} 3.0 ")


def test_games_yaml_example_is_playable_manifest(tmp_path: Path) -> None:
    (manifest,) = list_blocks(DOCS / "games.md", "yaml")
    (tmp_path / "acrobot.yaml").write_text(manifest)
    game = load_catalogue(tmp_path).games["acrobot"]
    env = make_environment(game.environment)
    env.reset(1)
    for binding in game.actions:
        env.step(binding.action)
    assert env.picture().rgb().ndim == 3
    env.close()
