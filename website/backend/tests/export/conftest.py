"""Fixtures for tests of exports: recorded episodes of three games, uploaded once."""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL
from typer.testing import CliRunner

import skill_arcade.dataset as sa
from skill_arcade.cli import app
from skill_arcade.dataset import Dataset, Episode
from skill_arcade.settings import Settings
from skill_arcade.storage.database.queries import upsert_games, upsert_user
from tests.conftest import fresh_database, opened_engine
from tests.support import session_harness as played


@dataclass(frozen=True, slots=True)
class Arcade:
    """The recorded episodes: settings and an open dataset."""

    settings: Settings
    dataset: Dataset


@dataclass(frozen=True, slots=True)
class Exported:
    """An export, and its source episodes in the same order."""

    folder: Path
    episodes: list[Episode]

    @property
    def manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        return manifest


Export = Callable[..., Exported]


@pytest.fixture(scope="session")
def arcade(postgres: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arcade]:
    home = tmp_path_factory.mktemp("arcade")
    with fresh_database(postgres) as url:
        asyncio.run(fill(url, home))
        address = url.render_as_string(hide_password=False)
        settings = Settings(skill_arcade_home=home, database_url=address)
        with sa.open(settings=settings) as dataset:
            yield Arcade(settings, dataset)


async def fill(url: URL, home: Path) -> None:
    journal = home / "journal"
    for play in (played.play_breakout, played.play_hanoi, played.play_cart_pole):
        play(journal)
    played.play_breakout(journal, 24)
    async with opened_engine(url) as engine:
        async with engine.begin() as connection:
            await upsert_user(connection, "user", "somebody@example.org")
            await upsert_games(connection, {name: {} for name in ("breakout", "tower-of-hanoi", "cart-pole")})
        await played.upload_all(journal, home / "objects", engine)


@pytest.fixture
def run(arcade: Arcade, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Return a function that runs a command of `skill-arcade` on the recorded episodes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(arcade.settings.skill_arcade_home))
    monkeypatch.setenv("DATABASE_URL", str(arcade.settings.database_url))
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def export(arcade: Arcade, run: Callable[..., Any], tmp_path: Path) -> Iterator[Export]:
    """Return a function that exports the episodes that match a condition."""
    folder = tmp_path / "out"

    def make(format_: str, where: str = "true", *options: str) -> Exported:
        result = run("export", "--format", format_, "--where", where, *options, folder)
        assert result.exit_code == 0, result.output + result.stderr
        episodes = sorted(arcade.dataset.episodes(where=where), key=lambda episode: (episode.game_id, episode.id))
        return Exported(folder, episodes)

    yield make
    shutil.rmtree(folder, ignore_errors=True)
