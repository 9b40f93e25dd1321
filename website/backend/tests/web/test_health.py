"""Liveness, readiness of each component, and metrics."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from sqlalchemy import URL, text

from skill_arcade.errors import NotReady
from skill_arcade.ids import new_episode_id
from skill_arcade.play.connections.recording_capacity import RecordingCapacity
from skill_arcade.web.request_transaction import DATABASE_UNAVAILABLE, request_transaction
from tests.conftest import execute
from tests.web.conftest import Visitor

pytestmark = pytest.mark.anyio


async def readiness(arcade: Visitor) -> tuple[int, dict[str, bool]]:
    answer = await arcade.http.get("/health/ready")
    assert answer.json()["ready"] == (answer.status_code == 200)
    return answer.status_code, {part["name"]: part["ready"] for part in answer.json()["parts"]}


async def test_healthy_server_is_alive_and_ready(arcade: Visitor) -> None:
    assert (await arcade.http.get("/health/live")).json() == {"status": "alive"}
    assert await readiness(arcade) == (200, {"database": True, "objects": True, "journal": True})


@pytest.mark.parametrize(("path", "alias"), [("/health/live", "/healthz"), ("/health/ready", "/readyz")])
async def test_health_alias_answers_like_path(arcade: Visitor, path: str, alias: str) -> None:
    first, second = await arcade.http.get(path), await arcade.http.get(alias)
    assert (first.status_code, first.json().keys()) == (second.status_code, second.json().keys())


async def test_readiness_reports_unavailable_database(arcade: Visitor, postgres: URL) -> None:
    headers_of_user = await arcade.sign_in()
    name = arcade.state.engine.url.database
    await execute(postgres, f'DROP DATABASE "{name}" WITH (FORCE)')
    assert await readiness(arcade) == (503, {"database": False, "objects": True, "journal": True})
    assert (await arcade.http.get("/health/live")).status_code == 200
    for answer in (
        await arcade.http.get("/auth/me", headers=headers_of_user),
        await arcade.http.get("/me/episodes", headers=headers_of_user),
        await arcade.http.post("/auth/login", json={"email": "eva@example.org"}),
    ):
        assert answer.status_code == 503
        assert answer.json() == {"error": "NotReady", "message": DATABASE_UNAVAILABLE}
    await execute(postgres, f'CREATE DATABASE "{name}" TEMPLATE template_arcade')
    assert (await readiness(arcade))[0] == 200


async def test_lost_database_connection_raises_not_ready_and_next_works(arcade: Visitor) -> None:
    with pytest.raises(NotReady, match=DATABASE_UNAVAILABLE):
        async with request_transaction(arcade.state.engine) as connection:
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    async with request_transaction(arcade.state.engine) as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar() == 1


async def test_readiness_reports_unusable_object_folder(arcade: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    objects = arcade.state.settings.objects_folder
    shutil.rmtree(objects, ignore_errors=True)
    objects.parent.mkdir(parents=True, exist_ok=True)
    objects.write_text("in the way")
    assert await readiness(arcade) == (503, {"database": True, "objects": False, "journal": True})
    assert str(objects) in caplog.text
    assert str(objects) not in (await arcade.http.get("/health/ready")).text


async def test_R7_readiness_reports_full_journal_disk(arcade: Visitor) -> None:
    # More than any disk has.
    arcade.state.sessions.capacity.min_free_bytes = 2**62
    assert await readiness(arcade) == (503, {"database": True, "objects": True, "journal": False})


async def test_readiness_reports_unusable_journal_folder(arcade: Visitor) -> None:
    journal = arcade.state.settings.journal_folder
    shutil.rmtree(journal, ignore_errors=True)
    journal.parent.mkdir(parents=True, exist_ok=True)
    journal.write_text("in the way")
    assert await readiness(arcade) == (503, {"database": True, "objects": True, "journal": False})


async def test_readiness_and_metrics_report_upload_ages(arcade: Visitor) -> None:
    capacity, report = arcade.state.sessions.capacity, arcade.state.settings.uploader_status_path
    assert (await arcade.http.get("/health/ready")).json()["ages"]["last_upload_seconds"] is None
    sealed = capacity.folder / str(new_episode_id()) / "000000.sealed"
    sealed.parent.mkdir(parents=True)
    sealed.write_bytes(b"not whole")
    os.utime(sealed, (time.time() - 90,) * 2)
    report.write_text(json.dumps({"last_upload": time.time() - 80, "segments": 5}))
    capacity.poll()
    ages = (await arcade.http.get("/health/ready")).json()["ages"]
    assert 90 <= ages["oldest_pending_seconds"] < 120
    assert 80 <= ages["last_upload_seconds"] < 110
    assert ages["tick_lateness_seconds"] == 0
    assert ages["journal_free_bytes"] > 0
    answer = await arcade.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    metrics = {
        name.partition("{")[0]: float(value)
        for name, value in (line.split(" ") for line in answer.text.splitlines() if not line.startswith("#"))
    }
    assert metrics["skill_arcade_games"] == 0
    assert metrics["skill_arcade_uploaded_segments_total"] == 5
    assert metrics["skill_arcade_oldest_pending_segment_seconds"] >= 90
    assert metrics["skill_arcade_last_upload_seconds"] >= 80
    assert metrics["skill_arcade_tick_lateness_seconds"] == 0
    assert metrics["skill_arcade_journal_free_bytes"] > 0


@pytest.mark.parametrize(("environment", "token"), [("production", None), ("local", "x" * 16)])
async def test_metrics_require_token(arcade: Visitor, environment: str, token: str | None) -> None:
    arcade.state.settings.skill_arcade_environment = environment  # type: ignore[assignment]
    arcade.state.settings.metrics_token = token
    assert (await arcade.http.get("/metrics")).status_code == 403
    answer = await arcade.http.get("/metrics", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == (403 if token is None else 200)


async def test_R7_recording_capacity_rejects_games_while_uploads_stall(tmp_path: Path) -> None:
    now = [0.0]
    capacity = RecordingCapacity(
        tmp_path, tmp_path / "uploader.json", min_free_bytes=1, max_stall_seconds=600, now=lambda: now[0]
    )
    sealed = tmp_path / str(new_episode_id()) / "000000.sealed"
    sealed.parent.mkdir()
    sealed.write_bytes(b"")
    capacity.poll()
    now[0] = 601.0
    with pytest.raises(NotReady, match="not being uploaded"):
        capacity.check()
    (tmp_path / "uploader.json").write_text('{"segments": 1}')  # an upload has succeeded
    capacity.poll()
    capacity.check()
