"""`skill-arcade boards`: flagged entries are listed, hidden and accepted, and names are reset."""

import asyncio
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import URL, select, update
from typer.testing import CliRunner, Result

from skill_arcade.boards.judge import judge_queue
from skill_arcade.cli import app
from skill_arcade.storage.database.boards import add_player, enqueue_user, report_name
from tests.conftest import opened_engine
from tests.support.board_data import TABLES, add_episode


@pytest.fixture
def flagged(tmp_path: Path, database_url: URL, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """An entry on a board whose presses never vary."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url.render_as_string(False))

    async def work() -> UUID:
        async with opened_engine(database_url) as engine:
            async with engine.begin() as connection:
                episode = await add_episode(connection, "ada", 9, presses=30)
                await add_player(connection, "ada", "Rude Name", "rudename", is_chosen=True)
                await enqueue_user(connection, "ada")
            await judge_queue(engine)
            async with engine.begin() as connection:
                await report_name(connection, episode)
            return episode

    return asyncio.run(work())


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["boards", *arguments])


def read(url: URL, table: str, column: str) -> list[object]:
    async def work() -> list[object]:
        async with opened_engine(url) as engine, engine.connect() as connection:
            return list((await connection.execute(select(TABLES[table].c[column]))).scalars())

    return asyncio.run(work())


def test_review_lists_flagged_entry_until_it_is_decided(flagged: UUID, database_url: URL) -> None:
    listed = run("review")
    assert listed.exit_code == 0
    assert "even-holds" in listed.output.replace("\n", "")
    assert run("hide", str(flagged), "--reason", "  ").exit_code == 1
    assert run("hide", "ffff", "--reason", "a program").exit_code == 1
    assert run("hide", str(flagged), "--reason", "a program").exit_code == 0
    assert read(database_url, "board_standing", "episode_id") == []
    assert read(database_url, "board_entry", "review_reason") == ["a program"]
    assert run("accept", str(flagged)[:18], "--reason", "an appeal").exit_code == 0
    assert set(read(database_url, "board_standing", "episode_id")) == {flagged}
    # The name is still reported.
    assert run("review").output.strip() != "Nothing to review."
    assert run("accept-name", str(flagged)).exit_code == 0
    assert run("review").output.strip() == "Nothing to review."


def test_reset_name_replaces_it_on_frozen_boards_too(flagged: UUID, database_url: URL) -> None:
    async def freeze() -> None:
        async with opened_engine(database_url) as engine, engine.begin() as connection:
            await connection.execute(update(TABLES["board_standing"]).values(name="Rude Name", rank=1))

    asyncio.run(freeze())
    assert run("reset-name", str(flagged)).exit_code == 0
    [name] = read(database_url, "board_player", "name")
    assert str(name).startswith("Player ")
    assert set(read(database_url, "board_standing", "name")) == {name}
    assert read(database_url, "board_player", "n_reports") == [0]
