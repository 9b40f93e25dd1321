"""Tests of the examples in the README and in the docs: they run as printed."""

import re
from pathlib import Path

import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine

from devtools.paths import DOCS, ROOT
from skill_arcade.environments.factory import make_environment
from skill_arcade.games.catalogue import load_catalogue
from tests.support.recorded_episode import record_episode

DOCUMENTS = (ROOT / "README.md", *sorted(DOCS.glob("*.md")))


def list_blocks(language: str) -> list[tuple[str, str]]:
    """Return the code blocks of this language, each with an id that names its document."""
    return [
        (f"{document.name}-{number}", block)
        for document in DOCUMENTS
        for number, block in enumerate(
            re.findall(rf"^```{language}\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL), start=1
        )
    ]


# Queries of Parquet files are DuckDB's; tests/export runs them on an export.
QUERIES = {name: block for name, block in list_blocks("sql") if ".parquet'" not in block}
# Laws of practice need many episodes; tests/analysis runs that example.
PYTHON = {name: block for name, block in list_blocks("python") if "sa.open(" in block and "analysis" not in block}
MANIFESTS = {name: block for name, block in list_blocks("yaml") if block.startswith(("name:", "title:", "#"))}


@pytest.mark.anyio
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
async def test_sql_of_documents_on_empty_database_runs(query: str, engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        for statement in query.split(";"):
            if statement.strip():
                (await connection.execute(text(statement))).all()


@pytest.mark.parametrize("example", PYTHON.values(), ids=PYTHON)
def test_python_of_documents_with_recorded_episode_runs(
    example: str,
    database_url: URL,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recorded = record_episode(database_url, tmp_path / "objects", game="breakout")
    monkeypatch.setenv("DATABASE_URL", database_url.render_as_string(hide_password=False))
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)  # an example may write a folder
    exec(compile(example.replace(", certified=True", ""), "example", "exec"), {})  # the recorded episode has no verdict
    printed = capsys.readouterr().out
    assert printed.startswith(str(recorded.id)) if "print(" in example else printed == ""


@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS)
def test_manifest_of_documents_can_be_played(manifest: str, tmp_path: Path) -> None:
    (tmp_path / "acrobot.yaml").write_text(manifest)
    game = load_catalogue(tmp_path).games["acrobot"]
    env = make_environment(game.environment)
    env.reset(1)
    for binding in game.actions:
        env.step(binding.action)
    assert env.picture().rgb().ndim == 3
    env.close()


def test_examples_of_each_language_are_found() -> None:
    assert QUERIES
    assert PYTHON
    assert MANIFESTS
