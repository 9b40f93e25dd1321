"""Tests of the uploader: sealed segments are stored once in the object store and Postgres, despite failures."""

import asyncio
import os
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import NotReady
from skill_arcade.frames.apng import read_apng
from skill_arcade.ids import transition_id
from skill_arcade.recording.journal import Journal
from skill_arcade.recording.recovery import recover_user_episodes
from skill_arcade.recording.segment import DAMAGED_SUFFIX, read_segment
from skill_arcade.storage.objects.disk import DiskObjects
from skill_arcade.uploader.objects import list_prefixes
from skill_arcade.uploader.uploader import RECOVERY_GRACE_SECONDS, Uploader
from tests.support.journals import make_header, write_episode
from tests.support.uploads import drain, read_rows

pytestmark = pytest.mark.anyio


class FlakyObjects(DiskObjects):
    """An object store in a folder that fails for the first `refusals` objects."""

    refusals = 0

    async def put(self, key: str, data: bytes) -> None:
        if self.refusals:
            self.refusals -= 1
            raise NotReady("the store is down")
        await super().put(key, data)


@pytest.fixture
def objects(tmp_path: Path) -> FlakyObjects:
    return FlakyObjects(tmp_path / "objects")


async def test_R8_uploaded_episode_is_complete_and_leaves_journal(
    uploader: Uploader, journal: Path, objects: FlakyObjects, engine: AsyncEngine
) -> None:
    header, pictures = write_episode(journal, segments=(4, 3))
    await drain(uploader)
    assert list(journal.iterdir()) == []
    [episode] = await read_rows(
        engine, "SELECT id, user_id, game_id, seed, n_steps, status, score, end_reason FROM episode"
    )
    assert episode == (header.episode_id, "user", "breakout", 7, 7, "lost", 3.5, "terminated")
    stored_rows = await read_rows(
        engine, "SELECT id, step, obs_key, action, next_obs_key, terminated FROM transition ORDER BY id"
    )
    keys = ["0/0", "0/1", "0/2", "0/3", "0/4", "1/0", "1/1", "1/2"]
    assert stored_rows == [
        (transition_id(header.episode_id, step), step, keys[step], step % 4, keys[step + 1], step == 6)
        for step in range(7)
    ]
    frames: dict[str, NDArray[np.uint8]] = {}
    async for key in objects.list(list_prefixes(header.episode_id)[0]):
        number = int(key.rsplit("/", 1)[1].removesuffix(".png"))
        frames |= {f"{number}/{index}": frame for index, frame in enumerate(read_apng(await objects.get(key)))}
    np.testing.assert_array_equal(np.stack([frames[key] for key in keys]), pictures)


async def test_paint_times_in_later_segment_update_their_transition(
    uploader: Uploader, journal: Path, engine: AsyncEngine
) -> None:
    write_episode(journal, segments=(4, 3))
    await drain(uploader)
    shown = await read_rows(engine, "SELECT step, shown_us FROM transition ORDER BY step")
    assert shown == [(step, step * 100 if step < 6 else None) for step in range(7)]


async def test_events_are_stored_in_order(uploader: Uploader, journal: Path, engine: AsyncEngine) -> None:
    write_episode(journal, segments=(2, 2))
    await drain(uploader)
    events = await read_rows(engine, "SELECT number, kind, step, client_us, data FROM event ORDER BY number")
    assert events == [(step, "input", step, step * 10, {"control": "left"}) for step in range(4)]


async def test_upload_of_same_segment_is_idempotent(uploader: Uploader, journal: Path, engine: AsyncEngine) -> None:
    header, _ = write_episode(journal)
    folder = journal / str(header.episode_id)
    copy = (folder / "000000.sealed").read_bytes()
    await drain(uploader)
    before = await read_rows(engine, "SELECT * FROM episode, transition, segment")
    folder.mkdir()
    (folder / "000000.sealed").write_bytes(copy)
    await drain(uploader)
    assert await read_rows(engine, "SELECT * FROM episode, transition, segment") == before
    assert list(journal.iterdir()) == []


async def test_concurrent_uploaders_store_episode_once(
    uploader: Uploader, journal: Path, objects: FlakyObjects, engine: AsyncEngine
) -> None:
    write_episode(journal, segments=(3, 3, 3))
    other = Uploader(journal, objects, engine, workers=2)
    await asyncio.gather(drain(uploader), drain(other))
    assert await read_rows(engine, "SELECT n_steps, score FROM episode") == [(9, 4.5)]
    assert await read_rows(engine, "SELECT count(*) FROM transition") == [(9,)]


async def test_upload_after_store_outage_is_retried(
    uploader: Uploader, journal: Path, objects: FlakyObjects, engine: AsyncEngine
) -> None:
    write_episode(journal, segments=(3, 3))
    objects.refusals = 2
    await drain(uploader)
    assert uploader.stats.failures == 2
    assert await read_rows(engine, "SELECT n_steps, status FROM episode") == [(6, "lost")]


async def test_R6_damaged_segment_is_renamed_and_logged(
    uploader: Uploader, journal: Path, engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    header, _ = write_episode(journal, segments=(2,))
    path = journal / str(header.episode_id) / "000000.sealed"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0b11
    path.write_bytes(data)
    await drain(uploader)
    assert uploader.stats.damaged == [path.with_suffix(DAMAGED_SUFFIX)]
    assert path.with_suffix(DAMAGED_SUFFIX).exists()
    assert str(path) in caplog.text
    assert await read_rows(engine, "SELECT * FROM episode") == []


async def test_R6_segments_after_damaged_one_keep_their_steps(
    uploader: Uploader, journal: Path, engine: AsyncEngine
) -> None:
    header, _ = write_episode(journal, segments=(3, 2, 2))
    (journal / str(header.episode_id) / "000001.sealed").write_bytes(b"nothing like a segment")
    await drain(uploader)
    stored_rows = await read_rows(engine, "SELECT step, obs_key, next_obs_key FROM transition ORDER BY step")
    assert stored_rows == [
        (0, "0/0", "0/1"),
        (1, "0/1", "0/2"),
        (2, "0/2", "0/3"),
        (5, "1/1", "2/0"),
        (6, "2/0", "2/1"),
    ]
    assert await read_rows(engine, "SELECT status, end_reason FROM episode") == [("lost", "terminated")]


async def test_R9_segments_are_uploaded_in_order(uploader: Uploader, journal: Path, engine: AsyncEngine) -> None:
    header, _ = write_episode(journal, segments=(3, 2))
    first = journal / str(header.episode_id) / "000000.sealed"
    first.rename(first.with_suffix(".open"))
    await drain(uploader)
    assert await read_rows(engine, "SELECT n_steps, status, end_reason FROM episode") == [(5, "lost", "terminated")]
    assert await read_rows(engine, "SELECT number FROM segment ORDER BY time_delivered") == [(0,), (1,)]


async def test_unrecoverable_journal_does_not_delay_other_episodes(
    uploader: Uploader, journal: Path, engine: AsyncEngine
) -> None:
    damaged_journal = journal / "01900000-0000-7000-8000-000000000000"
    damaged_journal.mkdir()
    (damaged_journal / "000000.open").write_bytes(b"no head")
    empty_journal = journal / "01900000-0000-7000-8000-000100000000"
    empty_journal.mkdir()
    (empty_journal / "000000.new").write_bytes(b"half a head")
    header, _ = write_episode(journal)
    await drain(uploader)
    assert await read_rows(engine, "SELECT id FROM episode") == [(header.episode_id,)]
    assert [path.name for path in journal.iterdir()] == [damaged_journal.name]
    assert [path.name for path in damaged_journal.iterdir()] == ["000000.damaged"]


def leave_episode(journal: Path) -> Path:
    """Start an episode in a process that dies at once. Its last record is a minute old, as if its game had hung."""
    header = make_header()
    if (pid := os.fork()) == 0:
        Journal(journal, header)
        os._exit(0)
    os.waitpid(pid, 0)
    folder = journal / str(header.episode_id)
    for path in folder.iterdir():
        os.utime(path, (time.time() - 60,) * 2)
    return folder


async def test_R16_server_records_cause_of_a_hung_game_before_the_uploader_finishes_it(
    uploader: Uploader, journal: Path
) -> None:
    folder = leave_episode(journal)
    uploader.recover_abandoned(RECOVERY_GRACE_SECONDS)  # between the death and the report of the server
    recover_user_episodes(journal, "user", "it did not respond")
    (segment,) = [read_segment(path) for path in folder.glob("*.sealed")]
    assert [event.data for event in segment.events if event.kind == "crash"] == [{"error": "it did not respond"}]


async def test_R5_episode_that_nobody_holds_is_finished_after_the_grace_time(
    uploader: Uploader, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = leave_episode(journal)
    began_at = time.monotonic()
    monkeypatch.setattr("skill_arcade.uploader.uploader.time.monotonic", lambda: began_at)
    uploader.recover_abandoned(RECOVERY_GRACE_SECONDS)
    assert list(folder.glob("*.sealed")) == []
    monkeypatch.setattr("skill_arcade.uploader.uploader.time.monotonic", lambda: began_at + RECOVERY_GRACE_SECONDS)
    uploader.recover_abandoned(RECOVERY_GRACE_SECONDS)
    assert len(list(folder.glob("*.sealed"))) == 1
