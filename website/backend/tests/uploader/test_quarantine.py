"""Segments that storage rejects for their content are quarantined; no other episode is delayed (rule R12)."""

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, ResourceClosedError, StatementError
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import NotReady, ObjectRejected
from skill_arcade.play.connections.recording_capacity import RecordingCapacity
from skill_arcade.recording.quarantine import list_quarantined
from skill_arcade.storage.database.permanence import is_permanent
from skill_arcade.storage.objects.disk import DiskObjects
from skill_arcade.uploader.reconcile import EpisodeReport, reconcile
from skill_arcade.uploader.retry import list_entries, retry_entries
from skill_arcade.uploader.uploader import Uploader
from tests.support.journals import write_episode
from tests.support.uploads import drain, read_rows

pytestmark = pytest.mark.anyio
NUL = {"said": "a\0b"}


class RejectingObjects(DiskObjects):
    """An object store in a folder that rejects the frames of some segments, like a bucket with status 400."""

    rejected = ""

    async def put(self, key: str, data: bytes) -> None:
        if self.rejected and key.endswith(self.rejected):
            raise ObjectRejected("400 Bad Request", 400)
        await super().put(key, data)


@pytest.fixture
def objects(tmp_path: Path) -> RejectingObjects:
    return RejectingObjects(tmp_path / "objects")


async def reports(journal: Path, objects: DiskObjects, engine: AsyncEngine) -> list[EpisodeReport]:
    return [report async for report in reconcile(journal, objects, engine)]


async def test_R12_segment_with_nul_in_info_is_quarantined_and_others_are_uploaded(
    uploader: Uploader, journal: Path, objects: RejectingObjects, engine: AsyncEngine
) -> None:
    bad, _ = write_episode(journal, segments=(3, 2, 2), infos={4: NUL})
    good, _ = write_episode(journal, segments=(2, 2))
    await drain(uploader)
    assert uploader.stats.quarantined == 1
    assert await read_rows(engine, "SELECT n_steps FROM episode ORDER BY n_steps") == [(4,), (5,)]
    stored_steps = await read_rows(
        engine, f"SELECT step FROM transition WHERE episode_id = '{bad.episode_id}' ORDER BY step"
    )
    assert [step for (step,) in stored_steps] == [0, 1, 2, 5, 6]
    [segment] = list_quarantined(journal)
    assert (segment.episode_id, segment.number) == (bad.episode_id, 1)
    assert segment.reason is not None
    assert (segment.reason.operation, segment.reason.code[:2]) == ("rows", "22")
    marks = await read_rows(engine, "SELECT episode_id, number, n_steps, operation FROM quarantine")
    assert marks == [(bad.episode_id, 1, 2, "rows")]
    ended = await read_rows(engine, f"SELECT status, end_reason FROM episode WHERE id = '{good.episode_id}'")
    assert ended == [("lost", "terminated")]


async def test_R12_check_names_quarantined_segment_and_counts_no_step_as_lost(
    uploader: Uploader, journal: Path, objects: RejectingObjects, engine: AsyncEngine
) -> None:
    write_episode(journal, segments=(3, 2, 2), infos={4: NUL})
    await drain(uploader)
    [report] = await reports(journal, objects, engine)
    assert (report.acknowledged, report.stored, report.quarantined, report.lost) == (7, 5, 2, 0)
    assert [problem for problem in report.problems if "segment 1" in problem and "quarantined" in problem]


async def test_R12_segment_with_the_end_is_quarantined_and_its_episode_ends(
    uploader: Uploader, journal: Path, engine: AsyncEngine
) -> None:
    write_episode(journal, segments=(3, 2), infos={4: NUL})
    await drain(uploader)
    [(status, reason, ended)] = await read_rows(engine, "SELECT status, end_reason, time_ended FROM episode")
    assert (status, reason, ended is not None) == ("incomplete", "quarantined", True)


async def test_R12_header_that_postgres_rejects_leaves_marked_episode(
    uploader: Uploader, journal: Path, engine: AsyncEngine
) -> None:
    header, _ = write_episode(journal, segments=(3, 2), provenance={"player": {"browser": "x\0"}})
    await drain(uploader)
    assert [segment.number for segment in list_quarantined(journal)] == [0, 1]
    assert await read_rows(engine, "SELECT id, provenance, end_reason FROM episode") == [
        (header.episode_id, {}, "quarantined")
    ]
    assert await read_rows(engine, "SELECT number FROM quarantine ORDER BY number") == [(0,), (1,)]


async def test_R12_object_that_store_rejects_is_quarantined_with_http_status(
    uploader: Uploader, journal: Path, objects: RejectingObjects, engine: AsyncEngine
) -> None:
    objects.rejected = "000001.png"
    header, _ = write_episode(journal, segments=(3, 2, 2))
    await drain(uploader)
    [segment] = list_quarantined(journal)
    assert segment.reason is not None
    assert (segment.number, segment.reason.operation, segment.reason.code) == (1, "objects", "400")
    assert await read_rows(engine, "SELECT n_steps FROM episode") == [(5,)]
    copy = await objects.get(f"episodes/{header.episode_id}/quarantine-000001.segment")
    assert copy == segment.path.read_bytes()


@pytest.mark.parametrize("in_journal", [True, False])
async def test_R12_retry_after_fix_uploads_quarantined_segment(
    uploader: Uploader, journal: Path, objects: RejectingObjects, engine: AsyncEngine, in_journal: bool
) -> None:
    objects.rejected = "000001.png"
    write_episode(journal, segments=(3, 2, 2))
    await drain(uploader)
    if not in_journal:  # the server's disk is gone; the copy in the object store is left
        for path in [*journal.glob("*/*")]:
            path.unlink()
    entries = await list_entries(journal, engine)
    assert [(entry.number, entry.path is not None) for entry in entries] == [(1, in_journal)]
    [rejected] = [result async for result in retry_entries(entries, objects, engine)]
    assert rejected.error
    assert len(await list_entries(journal, engine)) == 1
    objects.rejected = ""
    [uploaded] = [result async for result in retry_entries(entries, objects, engine)]
    assert uploaded.error == ""
    assert await list_entries(journal, engine) == []
    assert await read_rows(engine, "SELECT n_steps, status FROM episode") == [(7, "lost")]
    [report] = await reports(journal, objects, engine)
    assert (report.stored, report.quarantined, report.lost, report.problems) == (7, 0, 0, [])


async def test_R12_reason_beside_segment_is_json_with_class_code_and_version(uploader: Uploader, journal: Path) -> None:
    write_episode(journal, segments=(3,), infos={1: NUL})
    await drain(uploader)
    [path] = journal.glob("*/*.reason.json")
    assert json.loads(path.read_text()).keys() == {"operation", "error", "code", "message", "version", "time"}


async def test_R12_outage_while_quarantining_is_retried(
    uploader: Uploader, journal: Path, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_episode(journal, segments=(3,), infos={1: NUL})
    original, failures = uploader._objects.put, iter([True, False])

    async def put(key: str, data: bytes) -> None:
        if "quarantine" in key and next(failures, False):
            raise NotReady("the store is down")
        await original(key, data)

    monkeypatch.setattr(uploader._objects, "put", put)
    await drain(uploader)
    assert uploader.stats.failures == 1
    assert len(list_quarantined(journal)) == 1


@pytest.mark.parametrize(
    ("error", "permanent"),
    [
        (asyncpg.UntranslatableCharacterError("NUL"), True),
        (asyncpg.InvalidTextRepresentationError("json"), True),
        (asyncpg.UniqueViolationError("key"), True),
        (asyncpg.ProgramLimitExceededError("row"), True),
        (ValueError("an array that cannot be encoded"), True),
        (ObjectRejected("413", 413), True),
        (asyncpg.CannotConnectNowError("starting"), False),
        (asyncpg.TooManyConnectionsError("53300"), False),
        (asyncpg.DiskFullError("53100"), False),
        (asyncpg.DeadlockDetectedError("40P01"), False),
        (asyncpg.QueryCanceledError("57014"), False),
        (asyncpg.UndefinedTableError("42P01"), False),
        (asyncpg.InsufficientPrivilegeError("42501"), False),
        (asyncpg.InterfaceError("connection is closed"), False),
        (NotReady("down"), False),
        (ConnectionResetError(), False),
        (TimeoutError(), False),
        (OSError(28, "No space left on device"), False),
        (RuntimeError("cannot schedule new futures after shutdown"), False),
        (StatementError("bind", "INSERT", None, TypeError("not serializable")), True),
        (StatementError("closed", "INSERT", None, ResourceClosedError("This Connection is closed")), False),
    ],
)
async def test_permanence_of_error_follows_from_its_class(error: Exception, permanent: bool) -> None:
    assert is_permanent(error) is permanent


async def test_permanence_of_wrapped_error_follows_from_sqlstate(engine: AsyncEngine) -> None:
    with pytest.raises(DBAPIError) as rejected:
        await read_rows(engine, "SELECT '\"\\u0000\"'::jsonb")
    assert is_permanent(rejected.value)
    with pytest.raises(DBAPIError) as missing:
        await read_rows(engine, "SELECT * FROM no_such_table")
    assert not is_permanent(missing.value)


async def test_R12_two_uploaders_quarantine_one_segment_once(
    uploader: Uploader, journal: Path, objects: RejectingObjects, engine: AsyncEngine
) -> None:
    write_episode(journal, segments=(3, 2), infos={1: NUL})
    other = Uploader(journal, objects, engine, workers=2)
    await asyncio.gather(drain(uploader), drain(other))
    assert len(list_quarantined(journal)) == 1
    assert await read_rows(engine, "SELECT count(*) FROM quarantine") == [(1,)]


async def test_R13_quarantined_segments_leave_new_games_allowed(
    uploader: Uploader, journal: Path, tmp_path: Path
) -> None:
    write_episode(journal, segments=(3,), infos={1: NUL})
    await drain(uploader)
    capacity = RecordingCapacity(journal, tmp_path / "status", min_free_bytes=0, max_stall_seconds=0.001)
    capacity.poll()
    await asyncio.sleep(0.01)
    capacity.poll()
    assert (capacity.backlog.n_segments, capacity.stalled_seconds) == (0, 0.0)
    capacity.check()


async def test_status_of_uploader_is_read_by_recording_capacity(
    journal: Path, objects: RejectingObjects, engine: AsyncEngine, tmp_path: Path
) -> None:
    write_episode(journal, segments=(3, 2), infos={4: NUL})
    status = tmp_path / "uploader.json"
    stopping = asyncio.Event()
    running = asyncio.create_task(Uploader(journal, objects, engine, workers=1, report=status).run(stopping))
    capacity = RecordingCapacity(journal, status, min_free_bytes=0, max_stall_seconds=60)
    async with asyncio.timeout(30):
        while capacity.uploader_status.get("quarantined") != 1:
            await asyncio.sleep(0.05)
            capacity.poll()
    stopping.set()
    await running
    assert capacity.backlog.n_quarantined == 1
    assert capacity.uploader_status["segments"] == 1
    assert capacity.uploader_status["transitions"] == 3
    assert capacity.uploader_status["last_upload"] > 0
