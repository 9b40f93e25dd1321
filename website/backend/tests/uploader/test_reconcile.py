"""Tests of `skill-arcade check`: it reports lost, duplicated and misplaced data, and nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner

from skill_arcade.cli import app
from skill_arcade.ids import new_episode_id
from skill_arcade.storage.objects.disk import DiskObjects
from skill_arcade.uploader.objects import list_prefixes
from skill_arcade.uploader.reconcile import EpisodeReport, reconcile
from skill_arcade.uploader.uploader import Uploader
from tests.support.journals import write_episode

pytestmark = pytest.mark.anyio
Reports = Callable[..., Awaitable[dict[UUID, EpisodeReport]]]


@pytest.fixture
def objects(tmp_path: Path) -> DiskObjects:
    return DiskObjects(tmp_path / "objects")


@pytest.fixture
def reports(journal: Path, objects: DiskObjects, engine: AsyncEngine) -> Reports:
    async def reconcile_all(**options: object) -> dict[UUID, EpisodeReport]:
        results = reconcile(journal, objects, engine, **options)  # type: ignore[arg-type]
        return {report.episode: report async for report in results}

    return reconcile_all


@pytest.fixture
def upload(journal: Path, objects: DiskObjects, engine: AsyncEngine) -> Callable[[], Awaitable[None]]:
    return Uploader(journal, objects, engine, workers=2).drain


async def change(engine: AsyncEngine, statement: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement))


async def test_uploaded_and_waiting_episodes_have_no_problems(
    journal: Path, reports: Reports, upload: Callable[[], Awaitable[None]]
) -> None:
    first, _ = write_episode(journal, segments=(4, 3))
    await upload()
    second, _ = write_episode(journal, segments=(2, 2))
    results = await reports(seen={first.episode_id: 7, second.episode_id: 4}, read=True)
    assert results[first.episode_id] == EpisodeReport(first.episode_id, acknowledged=7, stored=7)
    assert results[second.episode_id] == EpisodeReport(second.episode_id, acknowledged=4, waiting=4)


async def test_uploaded_segment_still_in_journal_counts_once(
    journal: Path, reports: Reports, upload: Callable[[], Awaitable[None]]
) -> None:
    header, _ = write_episode(journal, segments=(4, 3))
    path = journal / str(header.episode_id) / "000001.sealed"
    data = path.read_bytes()
    await upload()
    path.parent.mkdir()
    path.write_bytes(data)
    assert await reports() == {header.episode_id: EpisodeReport(header.episode_id, acknowledged=7, stored=7)}


async def test_missing_segment_is_lost_and_named(
    journal: Path, reports: Reports, upload: Callable[[], Awaitable[None]]
) -> None:
    header, _ = write_episode(journal, segments=(4, 3, 2))
    (journal / str(header.episode_id) / "000001.sealed").unlink()
    await upload()
    results = (await reports())[header.episode_id]
    assert (results.acknowledged, results.stored, results.lost) == (9, 6, 3)
    assert results.problems == ["steps 4 to 6 are missing", "segments [1] are missing"]


async def test_missing_end_is_detected_from_acknowledged_steps(
    journal: Path, reports: Reports, upload: Callable[[], Awaitable[None]]
) -> None:
    header, _ = write_episode(journal, segments=(4, 3))
    (journal / str(header.episode_id) / "000001.sealed").unlink()
    await upload()
    results = (await reports(seen={header.episode_id: 7}))[header.episode_id]
    assert (results.lost, results.duplicated) == (3, 0)
    assert "steps 4 to 6 are missing at the end" in results.problems
    assert "it has no end, and none of its segments is in the journal" in results.problems


async def test_acknowledged_episode_without_data_is_lost(reports: Reports) -> None:
    unknown = UUID(int=1 << 32)
    assert (await reports(seen={unknown: 5}))[unknown].lost == 5


async def test_missing_and_duplicated_rows_are_reported(
    journal: Path, reports: Reports, upload: Callable[[], Awaitable[None]], engine: AsyncEngine
) -> None:
    header, _ = write_episode(journal, segments=(4, 3))
    await upload()
    await change(engine, "DELETE FROM transition WHERE step = 2")
    results = (await reports())[header.episode_id]
    assert (results.stored, results.lost) == (6, 1)
    assert "its segments have 7 transitions, the table has 6" in results.problems
    await change(engine, "UPDATE episode SET n_steps = 14")
    assert (await reports())[header.episode_id].duplicated == 8
    await change(engine, "UPDATE segment SET first_step = 3 WHERE number = 1")
    assert "1 steps are in two segments" in (await reports())[header.episode_id].problems


async def test_missing_changed_and_foreign_objects_are_named(
    journal: Path, reports: Reports, upload: Callable[[], Awaitable[None]], objects: DiskObjects
) -> None:
    header, _ = write_episode(journal, segments=(4, 3))
    await upload()
    prefix, earlier = (part.rstrip("/") for part in list_prefixes(header.episode_id))
    (objects.folder / prefix / "000000.png").unlink()
    (objects.folder / prefix / "000001.png").write_bytes(b"other")
    await objects.put(f"{prefix}/000002.png", b"foreign")
    await objects.put(f"{earlier}/000003.png", b"foreign")
    await objects.put("episodes/no-id/000000.png", b"foreign")
    results = await reports(read=True)
    assert results[header.episode_id].problems == [
        f"object {prefix}/000000.png is missing, although the database names it",
        f"object {prefix}/000001.png has other bytes than were recorded: its SHA-256 differs",
        *sorted(f"object {key} belongs to no segment" for key in (f"{prefix}/000002.png", f"{earlier}/000003.png")),
    ]
    assert results[UUID(int=0)].problems == ["1 objects belong to no episode: episodes/no-id/000000.png"]


async def test_object_erased_after_listing_is_no_problem(journal: Path, engine: AsyncEngine, tmp_path: Path) -> None:
    class StaleListing(DiskObjects):
        async def list(self, prefix: str) -> AsyncIterator[str]:
            yield f"episodes/{new_episode_id()}/000000.png"

    results = reconcile(journal, StaleListing(tmp_path / "objects"), engine)
    assert [report async for report in results] == []


async def test_check_command_prints_table_and_exits_with_code(
    journal: Path, upload: Callable[[], Awaitable[None]], engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    header, _ = write_episode(journal, segments=(4, 3))
    await upload()
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(journal.parent))
    monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(False))
    seen = journal.parent / "seen.json"
    seen.write_text(json.dumps({str(header.episode_id): 7}))

    async def run(*options: str) -> tuple[int, str]:
        result = await asyncio.to_thread(CliRunner().invoke, app, ["check", *options])
        return result.exit_code, result.output

    code, output = await run("--seen", str(seen))
    assert (code, "1 episodes" in output, "OK" in output) == (0, True, True)
    seen.write_text(json.dumps({str(header.episode_id): 9}))
    code, output = await run("--seen", str(seen), "--json")
    assert (code, json.loads(output)["lost"]) == (1, 2)
    seen.write_text("[1]")
    code, output = await run("--seen", str(seen))
    assert (code, "is not a JSON object of episode ids" in output) == (1, True)
