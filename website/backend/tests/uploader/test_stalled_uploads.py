"""Admission and stop look at outages only, never at segments that cannot be uploaded (rules R14 and R15)."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import NotReady
from skill_arcade.play.connections.recording_capacity import RecordingCapacity
from skill_arcade.recording.journal_files import list_episodes
from skill_arcade.storage.objects.disk import DiskObjects
from skill_arcade.uploader.uploader import Uploader, next_sealed, storage_answers
from tests.support.journals import write_episode

pytestmark = pytest.mark.anyio


class StuckObjects(DiskObjects):
    """An object store that fails for the keys of some episodes, with an error of no known class."""

    stuck = ""
    is_out = False

    async def put(self, key: str, data: bytes) -> None:
        if self.is_out or (self.stuck and self.stuck in key):
            raise RuntimeError("nobody knows why")
        await super().put(key, data)

    async def ready(self) -> None:
        if self.is_out:
            raise NotReady("gone")
        await super().ready()


@pytest.fixture
def objects(tmp_path: Path) -> StuckObjects:
    return StuckObjects(tmp_path / "objects")


def waiting(journal: Path) -> list[str]:
    return [folder.name for folder in list_episodes(journal) if next_sealed(folder) is not None]


async def stop_after(uploader: Uploader, seconds: float) -> float:
    """Run the uploader, stop it, and return how long the stop took."""
    stopping = asyncio.Event()
    running = asyncio.create_task(uploader.run(stopping))
    await asyncio.sleep(seconds)
    stopping.set()
    started_at = time.monotonic()
    async with asyncio.timeout(20):
        await running
    return time.monotonic() - started_at


async def test_R15_stop_leaves_segments_that_fail_although_storage_answers(
    journal: Path, objects: StuckObjects, engine: AsyncEngine
) -> None:
    stuck, _ = write_episode(journal, segments=(2, 2))
    stuck_id = str(stuck.episode_id)
    objects.stuck = stuck_id
    uploader = Uploader(journal, objects, engine, workers=2)
    good: list[Any] = []

    async def play_later() -> None:
        await asyncio.sleep(2.2)
        good.append(write_episode(journal, segments=(2,))[0].episode_id)

    later = asyncio.create_task(play_later())
    seconds = await stop_after(uploader, 2.5)
    await later
    assert seconds < 3
    assert waiting(journal) == [stuck_id]
    async with engine.connect() as connection:
        steps = await connection.execute(text("SELECT n_steps FROM episode WHERE id = :id"), {"id": good[0]})
        assert steps.scalar_one() == 2
    objects.stuck = ""
    await Uploader(journal, objects, engine, workers=2).drain()  # the next start
    assert waiting(journal) == []


async def test_R15_stop_during_an_outage_retries_until_storage_answers(
    journal: Path, objects: StuckObjects, engine: AsyncEngine
) -> None:
    write_episode(journal, segments=(2,))
    objects.is_out = True
    uploader = Uploader(journal, objects, engine, workers=2)

    async def recover() -> None:
        await asyncio.sleep(3)
        objects.is_out = False

    recovering = asyncio.create_task(recover())
    await stop_after(uploader, 0.5)
    await recovering
    assert waiting(journal) == []


async def test_storage_answers_takes_its_write_back(journal: Path, objects: StuckObjects, engine: AsyncEngine) -> None:
    assert await storage_answers(engine, objects)
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM game"))).scalar_one() == 0
    objects.is_out = True
    assert not await storage_answers(engine, objects)
    objects.is_out = False
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE game RENAME TO elsewhere"))
    assert not await storage_answers(engine, objects)


@pytest.mark.parametrize(
    ("answers", "is_alive", "is_admitted"), [(True, True, True), (False, True, False), (True, False, False)]
)
async def test_R14_stalled_uploads_reject_games_only_during_an_outage(
    tmp_path: Path, answers: bool, is_alive: bool, is_admitted: bool
) -> None:
    now, n_probes = 0.0, 0
    journal, status = tmp_path / "journal", tmp_path / "status"
    write_episode(journal, segments=(2,))

    async def storage_answers() -> bool:
        nonlocal n_probes
        n_probes += 1
        return answers

    capacity = RecordingCapacity(
        journal, status, min_free_bytes=0, max_stall_seconds=600, now=lambda: now, storage_answers=storage_answers
    )
    status.write_text('{"segments": 0, "alive_at": 0}')
    capacity.poll()
    capacity.poll()
    await capacity.probe()
    assert n_probes == 0  # nothing is probed while uploads make progress
    now = 601.0
    status.write_text('{"segments": 0, "alive_at": 595}' if is_alive else '{"segments": 0, "alive_at": 500}')
    capacity.poll()
    await capacity.probe()
    if is_admitted:
        capacity.check()
    else:
        with pytest.raises(NotReady, match="not being uploaded"):
            capacity.check()
    status.write_text('{"segments": 1, "alive_at": 600}')  # an upload has succeeded
    capacity.poll()
    await capacity.probe()
    capacity.check()
