"""Tests with recordings of an earlier version: this version can read, show, verify, export and upload them."""

import asyncio
import csv
import shutil
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import URL, text
from typer.testing import CliRunner

import skill_arcade.dataset as sa
from skill_arcade.cli import app
from skill_arcade.dataset import Episode
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.storage.database.engine import migrate_sync
from skill_arcade.storage.database.played_games import count_played
from skill_arcade.storage.database.queries import upsert_aliases, upsert_games
from skill_arcade.web.lifespan import describe_aliases, describe_games
from tests.conftest import fresh_database, opened_engine
from tests.support.consent import include_rows_without_consent
from tests.support.session_harness import upload_all

RECORDINGS = Path(__file__).parents[1] / "fixtures" / "recordings_c53446f"
REVISION = "0008"
TABLES = ("user", "game", "episode", "segment", "transition", "event", "certificate")
STEPS = {
    "01a221de-39a9": ("cart-pole", 8, "terminated"),
    "01a221de-438c": ("breakout", 108, "left"),
    "01a221de-4ae2": ("breakout", 96, "left"),
    "01a221de-539b": ("tower-of-hanoi", 3, "left"),
    "01a221de-569b": ("cart-pole", 10, "terminated"),
    "01a221de-5c58": ("minigrid-door-key-5x5", 3, "left"),
    "01a221de-5f0c": ("breakout", 90, "left"),
}


@pytest.fixture
def home(database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home folder with the objects of the earlier version, and load its rows into the database."""
    alembic = Config("alembic.ini")
    alembic.attributes["url"] = database_url
    command.downgrade(alembic, REVISION)
    asyncio.run(load_rows(database_url))
    migrate_sync(database_url)
    include_rows_without_consent(database_url)  # the owner's decision on what was recorded before consents
    shutil.copytree(RECORDINGS / "objects", tmp_path / "objects")
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url.render_as_string(False))
    return tmp_path


async def load_rows(url: URL, tables: tuple[str, ...] = TABLES) -> None:
    connection = await asyncpg.connect(url.set(drivername="postgresql").render_as_string(False))
    try:
        for table in tables:
            path = RECORDINGS / "rows" / f"{table}.csv"
            with path.open() as file:
                columns = next(csv.reader(file))
            await connection.copy_to_table(table, source=path, columns=columns, format="csv", header=True)
    finally:
        await connection.close()


def list_leaves(observations: Any) -> list[Any]:
    return list(observations.values()) if isinstance(observations, dict) else [observations]


def read_steps(episode: Episode) -> dict[str, tuple[str, int, str | None]]:
    return {str(episode.id)[:13]: (episode.game_id, episode.n_steps, episode.end_reason)}


def test_earlier_recordings_are_read_with_every_frame(home: Path) -> None:
    with sa.open() as dataset:
        found: dict[str, tuple[str, int, str | None]] = {}
        for episode in dataset.episodes():
            found |= read_steps(episode)
            assert len(episode.frames) == episode.n_steps + 1
            assert np.asarray(episode.frames).shape[-1] == 3
            for leaf in list_leaves(episode.observations):
                assert len(leaf) == len(episode.actions) + 1
            assert not list(episode.find_changes())
        assert found == STEPS
        lockstep = dataset.episode("01a221de-4ae2")
        assert lockstep.provenance["mode"] == "lockstep"
        assert lockstep.summary["mode"] == "lockstep"


def test_earlier_recordings_are_verified_and_shown(home: Path) -> None:
    verified = CliRunner().invoke(app, ["verify", "--all", "--jobs", "1"])
    assert verified.exit_code == 0, verified.output
    with sa.open() as dataset:
        assert len(list(dataset.episodes(certified=True))) == len(STEPS)
    shown = CliRunner().invoke(app, ["show", "01a221de-438c"])
    assert shown.exit_code == 0, shown.output
    checked = CliRunner().invoke(app, ["check", "--read", "--json"])
    assert checked.exit_code == 0, checked.output


def test_earlier_recordings_of_a_former_id_count_for_its_game(home: Path, database_url: URL) -> None:
    asyncio.run(store_catalogue(database_url))
    with sa.open() as dataset:
        [listed] = dataset.episodes(game="minigrid-door-key")
        assert (listed.game_id, listed.environment["id"]) == (
            "minigrid-door-key-5x5",
            "minigrid:MiniGrid-DoorKey-5x5-v0",
        )
        assert len(listed.frames) == listed.n_steps + 1


async def store_catalogue(url: URL) -> None:
    """Store the games of this version and their former ids, as a server does at its start."""
    catalogue = load_catalogue()
    async with opened_engine(url) as engine, engine.begin() as connection:
        await upsert_games(connection, describe_games(catalogue))
        await upsert_aliases(connection, describe_aliases(catalogue))
        users = (await connection.execute(text("SELECT DISTINCT user_id FROM episode"))).scalars().all()
        rows = [row for user in users for row in await count_played(connection, user)]
    played = {(row.game_id, *row.options.items()) for row in rows}
    assert ("minigrid-door-key", ("size", "5x5")) in played
    assert ("tower-of-hanoi",) in played


@pytest.mark.parametrize("format_", ["parquet", "minari"])
def test_earlier_recordings_are_exported(home: Path, tmp_path: Path, format_: str) -> None:
    out = tmp_path / "export"
    where = "game_id IN ('breakout', 'cart-pole', 'tower-of-hanoi')"
    result = CliRunner().invoke(app, ["export", "--format", format_, "--where", where, "--jobs", "1", str(out)])
    assert result.exit_code == 0, result.output
    assert any(path.stat().st_size > 0 for path in out.rglob("*") if path.is_file())


def test_earlier_journal_is_uploaded_with_the_same_rows(
    postgres: URL, database_url: URL, home: Path, tmp_path: Path
) -> None:
    journal = tmp_path / "earlier" / "journal"
    shutil.copytree(RECORDINGS / "journal", journal)
    objects = tmp_path / "earlier" / "objects"
    query = (
        "SELECT left(episode_id::text, 13), count(*), sum(action), round(sum(reward)::numeric, 6) "
        "FROM transition GROUP BY 1 ORDER BY 1"
    )
    with fresh_database(postgres) as url:
        asyncio.run(load_rows(url, ("user", "game")))
        asyncio.run(upload(journal, objects, url))
        uploaded = asyncio.run(read_rows(url, query))
        earlier = asyncio.run(read_rows(database_url, query))
        ended = asyncio.run(read_rows(url, "SELECT end_reason FROM episode WHERE left(id::text, 13) = '01a221de-5f0c'"))
    assert not list(journal.iterdir())
    assert uploaded[:-1] == [row for row in earlier if row[0] in {row[0] for row in uploaded[:-1]}]
    assert uploaded[-1][0] == "01a221de-5f0c"
    assert ended == [("crashed",)]
    assert {path.name for path in objects.rglob("*.png")} <= {"000000.png", "000001.png"}


async def upload(journal: Path, objects: Path, url: URL) -> None:
    async with opened_engine(url) as engine:
        await upload_all(journal, objects, engine)


async def read_rows(url: URL, query: str) -> list[tuple[object, ...]]:
    async with opened_engine(url) as engine, engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]
