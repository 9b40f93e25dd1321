"""A start opens all or says why not; a stop closes all."""

import asyncio
import multiprocessing
from pathlib import Path

import pytest
from sqlalchemy import URL, text

from skill_arcade.errors import ArcadeError, ManifestError, NotReady, SettingsError
from skill_arcade.settings import Settings, read_settings
from skill_arcade.storage.database.postgres_server import PostgresServer
from skill_arcade.web.app import create_app
from skill_arcade.web.lifespan import run_arcade
from tests.conftest import execute, opened_engine
from tests.web.conftest import open_arcade

pytestmark = pytest.mark.anyio


async def start_failing(settings: Settings) -> list[dict[str, str]]:
    """Start as a server does, and return what the server is told."""
    told: list[dict[str, str]] = []

    async def receive() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    async def send(message: dict[str, str]) -> None:
        told.append(message)

    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    with pytest.raises(ArcadeError):
        await create_app(settings)(scope, receive, send)  # type: ignore[arg-type]
    return told


async def test_nothing_is_opened_before_the_start(tmp_path: Path) -> None:
    create_app(Settings(_env_file=None, skill_arcade_home=tmp_path / "home"))
    assert list(tmp_path.iterdir()) == []


async def test_a_bad_manifest_stops_the_start_with_file_field_and_reason(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "wrong"
    folder.mkdir()
    (folder / "broken.yaml").write_text("name: Broken\nsummary: nothing\npace: {kind: real-time, hz: -1}\n")
    with pytest.raises(ManifestError, match=r"broken\.yaml"):
        async with run_arcade(settings.model_copy(update={"games_folder": folder})):
            pass
    (told,) = await start_failing(settings.model_copy(update={"games_folder": folder}))
    assert told["type"] == "lifespan.startup.failed"
    assert "broken.yaml" in told["message"]
    assert "pace" in told["message"]
    assert "Traceback" not in told["message"]


async def test_a_database_that_does_not_answer_stops_the_start_in_a_sentence(settings: Settings) -> None:
    nowhere = "postgresql://ada:hunter2@127.0.0.1:9/none"
    (told,) = await start_failing(settings.model_copy(update={"database_url": nowhere}))
    assert "does not answer" in told["message"]
    assert "hunter2" not in told["message"]
    assert "\n" not in told["message"]


async def test_a_database_without_tables_stops_the_start_and_says_what_to_run(
    settings: Settings, database_url: URL
) -> None:
    await execute(database_url, "DROP TABLE alembic_version CASCADE")
    with pytest.raises(NotReady, match="skill-arcade migrate"):
        async with run_arcade(settings):
            pass


async def test_a_start_that_fails_late_lets_go_of_what_it_had_opened(
    settings: Settings, database_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(settings.skill_arcade_home / "missing.json"))
    bucket = settings.model_copy(update={"gcp_bucket_name": "arcade"})
    with pytest.raises(NotReady, match="bucket arcade"):
        async with run_arcade(bucket):
            pass
    await all_let_go(database_url)


async def test_a_start_that_fails_at_its_last_step_ends_the_processes_that_it_had_started(
    settings: Settings, database_url: URL
) -> None:
    # The journal can't be used, so the game processes, which come last, are not started.
    settings.journal_folder.parent.mkdir(parents=True)
    settings.journal_folder.write_text("in the way")
    with pytest.raises(NotReady, match="journal's folder can't be used"):
        async with run_arcade(settings):
            pass
    await all_let_go(database_url)
    assert multiprocessing.active_children() == []


async def test_a_stop_lets_go_of_every_connection(settings: Settings, database_url: URL) -> None:
    async with run_arcade(settings) as parts:
        await parts["arcade"].users.sign_in("ada", "ada@example.org")
        assert await count_connections(database_url) > 0
    await all_let_go(database_url)


async def test_on_the_embedded_database_it_migrates_by_itself_and_stops_it_at_the_end(home: Path) -> None:
    settings = Settings(_env_file=None, skill_arcade_home=home)
    async with open_arcade(settings) as visitor:
        mine = await visitor.sign_in()
    assert PostgresServer(home / "postgres").find_postmaster() is None
    async with open_arcade(settings) as visitor:
        answer = await visitor.http.get("/auth/me", headers=mine)
        assert answer.json()["email"] == "ada@example.org"


def test_settings_that_do_not_fit_are_told_all_at_once_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPLOADER_NUM_WORKERS", "many")
    monkeypatch.setenv("AUTH_SECRET", "short")
    with pytest.raises(SettingsError) as caught:
        read_settings()
    assert "UPLOADER_NUM_WORKERS: " in str(caught.value)
    assert "AUTH_SECRET: " in str(caught.value)
    assert "\n" not in str(caught.value)


async def count_connections(url: URL) -> int:
    query = text("SELECT count(*) FROM pg_stat_activity WHERE datname = :name AND pid <> pg_backend_pid()")
    async with opened_engine(url) as engine, engine.connect() as connection:
        return int((await connection.execute(query, {"name": url.database})).scalar_one())


async def all_let_go(url: URL) -> None:
    """Until nobody is connected: Postgres notices a moment later that a connection was closed."""
    async with asyncio.timeout(30):
        while await count_connections(url) > 0:
            await asyncio.sleep(0.02)
