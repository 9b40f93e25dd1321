"""Objects without an episode are found and removed, and nothing that is or will be a recording."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner

from skill_arcade.cli import app
from skill_arcade.ids import new_episode_id
from skill_arcade.storage.objects.disk import DiskObjects
from skill_arcade.uploader.orphans import find_orphans, remove_orphans
from skill_arcade.uploader.restore_check import check_restored
from skill_arcade.uploader.uploader import Uploader, upload_segment
from tests.support.journals import write_episode

pytestmark = pytest.mark.anyio
NOW_MS = time.time_ns() // 1_000_000
DAY_MS = 86_400_000


class Killed(Exception):
    """The server is killed."""


class KilledBeforeRows(DiskObjects):
    """The server is killed when the objects are stored and the rows are not."""

    async def put(self, key: str, data: bytes) -> None:
        await super().put(key, data)
        raise Killed


@pytest.fixture
def objects(tmp_path: Path) -> DiskObjects:
    return DiskObjects(tmp_path / "objects")


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    (tmp_path / "journal").mkdir()
    return tmp_path / "journal"


async def die_while_uploading(journal: Path, objects: DiskObjects, age_days: float) -> None:
    """Upload the first segment of a new episode on a server that is killed, and whose disk is lost with it."""
    write_episode(journal, episode_id=new_episode_id(NOW_MS - int(age_days * DAY_MS)))
    (segment,) = journal.glob("*/*.sealed")
    with pytest.raises(Killed):
        await upload_segment(segment.read_bytes(), segment, KilledBeforeRows(objects.folder), None)  # type: ignore[arg-type]
    segment.unlink()
    segment.parent.rmdir()


async def test_object_of_killed_server_is_found_and_removed(
    journal: Path, objects: DiskObjects, engine: AsyncEngine
) -> None:
    await die_while_uploading(journal, objects, age_days=3)
    found = await find_orphans(journal, objects, engine)
    assert [len(keys) for keys in found.values()] == [1]
    await remove_orphans(objects, found)
    assert [key async for key in objects.list("")] == []
    assert await find_orphans(journal, objects, engine) == {}


async def test_object_of_young_stored_or_waiting_episode_is_kept(
    journal: Path, objects: DiskObjects, engine: AsyncEngine
) -> None:
    await die_while_uploading(journal, objects, age_days=1)
    assert await find_orphans(journal, objects, engine) == {}
    write_episode(journal, segments=(4, 3))
    await Uploader(journal, objects, engine, workers=1).drain()
    waiting, _ = write_episode(journal)
    await objects.put(f"episodes/{waiting.episode_id}/000000.png", b"stored, and not yet in the database")
    found = await find_orphans(journal, objects, engine, min_age=timedelta(0))
    assert len(found) == 1
    assert waiting.episode_id not in found


async def test_orphans_command_lists_then_removes(
    journal: Path, objects: DiskObjects, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await die_while_uploading(journal, objects, age_days=3)
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(journal.parent))
    monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(False))
    outcomes = []
    for options in ([], ["--remove"], []):
        result = await asyncio.to_thread(CliRunner().invoke, app, ["orphans", *options])
        outcomes.append((result.exit_code, "1 objects" in result.output))
    assert outcomes == [(1, True), (0, True), (0, False)]


async def test_restore_drill_names_orphans(journal: Path, objects: DiskObjects, engine: AsyncEngine) -> None:
    await die_while_uploading(journal, objects, age_days=3)
    report = await check_restored(engine, engine, objects, until=datetime.now(UTC), journal=journal)
    assert len(report.problems) == 1
    assert "has objects and no row" in report.problems[0]
