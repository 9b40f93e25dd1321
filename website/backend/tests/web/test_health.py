"""Alive is not ready: every part is asked, and the one that is missing is named."""

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
from skill_arcade.web.request_transaction import request_transaction
from tests.conftest import execute
from tests.web.conftest import Visitor

pytestmark = pytest.mark.anyio


async def readiness(arcade: Visitor) -> tuple[int, dict[str, bool]]:
    answer = await arcade.http.get("/readyz")
    assert answer.json()["ready"] == (answer.status_code == 200)
    return answer.status_code, {part["name"]: part["ready"] for part in answer.json()["parts"]}


async def test_an_arcade_with_all_its_parts_is_alive_and_ready(arcade: Visitor) -> None:
    assert (await arcade.http.get("/healthz")).json() == {"status": "alive"}
    assert await readiness(arcade) == (200, {"database": True, "objects": True, "journal": True})


async def test_a_database_that_is_gone_is_named_and_the_arcade_stays_alive(arcade: Visitor, postgres: URL) -> None:
    mine = await arcade.sign_in()
    name = arcade.state.engine.url.database
    await execute(postgres, f'DROP DATABASE "{name}" WITH (FORCE)')
    assert await readiness(arcade) == (503, {"database": False, "objects": True, "journal": True})
    assert (await arcade.http.get("/healthz")).status_code == 200
    for answer in (
        await arcade.http.get("/auth/me", headers=mine),
        await arcade.http.get("/me/episodes", headers=mine),
        await arcade.http.post("/auth/login", json={"email": "eva@example.org"}),
    ):
        assert answer.status_code == 503
        assert answer.json() == {
            "error": "NotReady",
            "message": "The database does not answer at the moment; try again soon.",
        }
    await execute(postgres, f'CREATE DATABASE "{name}" TEMPLATE template_arcade')
    assert (await readiness(arcade))[0] == 200


async def test_a_connection_that_breaks_off_in_the_middle_is_not_ready_and_the_next_one_is(arcade: Visitor) -> None:
    with pytest.raises(NotReady, match="try again soon"):
        async with request_transaction(arcade.state.engine) as connection:
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    async with request_transaction(arcade.state.engine) as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar() == 1


async def test_an_object_folder_that_can_not_be_used_is_named(
    arcade: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    objects = arcade.state.settings.objects_folder
    shutil.rmtree(objects, ignore_errors=True)
    objects.parent.mkdir(parents=True, exist_ok=True)
    objects.write_text("in the way")
    assert await readiness(arcade) == (503, {"database": True, "objects": False, "journal": True})
    assert str(objects) in caplog.text
    assert str(objects) not in (await arcade.http.get("/readyz")).text


async def test_a_journal_disk_without_room_is_named(arcade: Visitor) -> None:
    # No disk has this much room.
    arcade.state.sessions.capacity.min_free_bytes = 2**62
    assert await readiness(arcade) == (503, {"database": True, "objects": True, "journal": False})


async def test_a_journal_folder_that_can_not_be_made_is_named(arcade: Visitor) -> None:
    journal = arcade.state.settings.journal_folder
    shutil.rmtree(journal, ignore_errors=True)
    journal.parent.mkdir(parents=True, exist_ok=True)
    journal.write_text("in the way")
    assert await readiness(arcade) == (503, {"database": True, "objects": True, "journal": False})


async def test_ages_are_told_by_readyz_and_to_prometheus(arcade: Visitor) -> None:
    capacity, report = arcade.state.sessions.capacity, arcade.state.settings.uploader_status_path
    assert (await arcade.http.get("/readyz")).json()["ages"]["last_delivery_seconds"] is None
    sealed = capacity.folder / str(new_episode_id()) / "000000.sealed"
    sealed.parent.mkdir(parents=True)
    sealed.write_bytes(b"not whole")
    os.utime(sealed, (time.time() - 90,) * 2)
    report.write_text(json.dumps({"last_delivery": time.time() - 80, "segments": 5}))
    capacity.poll()
    ages = (await arcade.http.get("/readyz")).json()["ages"]
    assert 90 <= ages["oldest_undelivered_seconds"] < 120
    assert 80 <= ages["last_delivery_seconds"] < 110
    assert ages["tick_lateness_seconds"] == 0
    assert ages["journal_free_bytes"] > 0
    answer = await arcade.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    figures = {
        name: float(value)
        for name, value in (line.split(" ") for line in answer.text.splitlines() if not line.startswith("#"))
    }
    assert figures["skill_arcade_games"] == 0
    assert figures["skill_arcade_delivered_segments_total"] == 5
    assert figures["skill_arcade_oldest_undelivered_segment_seconds"] >= 90
    assert figures["skill_arcade_last_delivery_seconds"] >= 80
    assert figures["skill_arcade_tick_lateness_seconds"] == 0
    assert figures["skill_arcade_journal_free_bytes"] > 0


@pytest.mark.parametrize(("environment", "token"), [("production", None), ("local", "x" * 16)])
async def test_figures_are_not_for_everybody(arcade: Visitor, environment: str, token: str | None) -> None:
    arcade.state.settings.skill_arcade_environment = environment  # type: ignore[assignment]
    arcade.state.settings.metrics_token = token
    assert (await arcade.http.get("/metrics")).status_code == 403
    answer = await arcade.http.get("/metrics", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == (403 if token is None else 200)


async def test_a_delivery_that_does_not_get_on_refuses_games_in_words(tmp_path: Path) -> None:
    now = [0.0]
    capacity = RecordingCapacity(
        tmp_path, tmp_path / "delivery.json", min_free_bytes=1, max_stall_seconds=600, now=lambda: now[0]
    )
    sealed = tmp_path / str(new_episode_id()) / "000000.sealed"
    sealed.parent.mkdir()
    sealed.write_bytes(b"")
    capacity.poll()
    now[0] = 601.0
    with pytest.raises(NotReady, match="can't be put away at the moment"):
        capacity.check()
    (tmp_path / "delivery.json").write_text('{"segments": 1}')  # it gets on after all
    capacity.poll()
    capacity.check()
