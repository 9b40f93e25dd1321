"""Startup opens all components or says why not, and shutdown closes them."""

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
    """Run a startup that fails, and return the messages to the server."""
    sent: list[dict[str, str]] = []

    async def receive() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    async def send(message: dict[str, str]) -> None:
        sent.append(message)

    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    with pytest.raises(ArcadeError):
        await create_app(settings)(scope, receive, send)  # type: ignore[arg-type]
    return sent


async def test_create_app_opens_nothing(tmp_path: Path) -> None:
    create_app(Settings(_env_file=None, skill_arcade_home=tmp_path / "home"))
    assert list(tmp_path.iterdir()) == []


async def test_startup_fails_for_invalid_manifest_with_file_and_field(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "wrong"
    folder.mkdir()
    (folder / "broken.yaml").write_text("name: Broken\nsummary: nothing\npace: {kind: real-time, hz: -1}\n")
    with pytest.raises(ManifestError, match=r"broken\.yaml"):
        async with run_arcade(settings.model_copy(update={"games_folder": folder})):
            pass
    (sent,) = await start_failing(settings.model_copy(update={"games_folder": folder}))
    assert sent["type"] == "lifespan.startup.failed"
    assert "broken.yaml" in sent["message"]
    assert "pace" in sent["message"]
    assert "Traceback" not in sent["message"]


async def test_startup_fails_for_unreachable_database_in_one_line(settings: Settings) -> None:
    unreachable_url = "postgresql://ada:hunter2@127.0.0.1:9/none"
    (sent,) = await start_failing(settings.model_copy(update={"database_url": unreachable_url}))
    assert "does not answer" in sent["message"]
    assert "hunter2" not in sent["message"]
    assert "\n" not in sent["message"]


async def test_startup_fails_without_tables_and_names_command(settings: Settings, database_url: URL) -> None:
    await execute(database_url, "DROP TABLE alembic_version CASCADE")
    with pytest.raises(NotReady, match="skill-arcade migrate"):
        async with run_arcade(settings):
            pass


async def test_startup_failure_closes_opened_components(
    settings: Settings, database_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(settings.skill_arcade_home / "missing.json"))
    bucket = settings.model_copy(update={"gcp_bucket_name": "arcade"})
    with pytest.raises(NotReady, match="bucket arcade"):
        async with run_arcade(bucket):
            pass
    await wait_for_no_connections(database_url)


async def test_startup_failure_at_last_step_stops_child_processes(settings: Settings, database_url: URL) -> None:
    # The journal is unusable, so startup fails at its last step, the game processes.
    settings.journal_folder.parent.mkdir(parents=True)
    settings.journal_folder.write_text("in the way")
    with pytest.raises(NotReady, match="journal folder"):
        async with run_arcade(settings):
            pass
    await wait_for_no_connections(database_url)
    assert multiprocessing.active_children() == []


async def test_shutdown_closes_all_database_connections(settings: Settings, database_url: URL) -> None:
    async with run_arcade(settings) as parts:
        await parts["arcade"].users.sign_in("ada", "ada@example.org")
        assert await count_connections(database_url) > 0
    await wait_for_no_connections(database_url)


async def test_embedded_database_is_migrated_at_startup_and_stopped_at_shutdown(home: Path) -> None:
    settings = Settings(_env_file=None, skill_arcade_home=home)
    async with open_arcade(settings) as visitor:
        headers_of_user = await visitor.sign_in()
    assert PostgresServer(home / "postgres").find_postmaster() is None
    async with open_arcade(settings) as visitor:
        answer = await visitor.http.get("/auth/me", headers=headers_of_user)
        assert answer.json()["email"] == "ada@example.org"


def test_read_settings_reports_all_invalid_settings_in_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPLOADER_NUM_WORKERS", "many")
    monkeypatch.setenv("AUTH_SECRET", "short")
    with pytest.raises(SettingsError) as error_info:
        read_settings()
    assert "UPLOADER_NUM_WORKERS: " in str(error_info.value)
    assert "AUTH_SECRET: " in str(error_info.value)
    assert "\n" not in str(error_info.value)


async def count_connections(url: URL) -> int:
    query = text("SELECT count(*) FROM pg_stat_activity WHERE datname = :name AND pid <> pg_backend_pid()")
    async with opened_engine(url) as engine, engine.connect() as connection:
        return int((await connection.execute(query, {"name": url.database})).scalar_one())


async def wait_for_no_connections(url: URL) -> None:
    """Wait until no connection is left, which Postgres notices a moment after it was closed."""
    async with asyncio.timeout(30):
        while await count_connections(url) > 0:
            await asyncio.sleep(0.02)
