"""`skill-arcade check` finds what is lost, doubled or out of place, and nothing else."""

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
from skill_arcade.uploader.reconcile import EpisodeReport, reconcile
from skill_arcade.uploader.uploader import Uploader
from tests.support.journals import write_episode

pytestmark = pytest.mark.anyio
Balances = Callable[..., Awaitable[dict[UUID, EpisodeReport]]]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    (tmp_path / "journal").mkdir()
    return tmp_path / "journal"


@pytest.fixture
def objects(tmp_path: Path) -> DiskObjects:
    return DiskObjects(tmp_path / "objects")


@pytest.fixture
def reports(journal: Path, objects: DiskObjects, engine: AsyncEngine) -> Balances:
    async def look(**options: object) -> dict[UUID, EpisodeReport]:
        found = reconcile(journal, objects, engine, **options)  # type: ignore[arg-type]
        return {report.episode: report async for report in found}

    return look


@pytest.fixture
def deliver(journal: Path, objects: DiskObjects, engine: AsyncEngine) -> Callable[[], Awaitable[None]]:
    return Uploader(journal, objects, engine, workers=2).drain


async def change(engine: AsyncEngine, statement: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement))


async def test_what_is_delivered_and_what_waits_is_in_order(
    journal: Path, reports: Balances, deliver: Callable[[], Awaitable[None]]
) -> None:
    first, _ = write_episode(journal, segments=(4, 3))
    await deliver()
    second, _ = write_episode(journal, segments=(2, 2))
    found = await reports(seen={first.episode_id: 7, second.episode_id: 4}, read=True)
    assert found[first.episode_id] == EpisodeReport(first.episode_id, acknowledged=7, stored=7)
    assert found[second.episode_id] == EpisodeReport(second.episode_id, acknowledged=4, waiting=4)


async def test_a_segment_that_is_delivered_and_not_yet_forgotten_counts_once(
    journal: Path, reports: Balances, deliver: Callable[[], Awaitable[None]]
) -> None:
    head, _ = write_episode(journal, segments=(4, 3))
    path = journal / str(head.episode_id) / "000001.sealed"
    data = path.read_bytes()
    await deliver()
    path.parent.mkdir()
    path.write_bytes(data)
    assert await reports() == {head.episode_id: EpisodeReport(head.episode_id, acknowledged=7, stored=7)}


async def test_a_segment_that_is_nowhere_is_lost_and_named(
    journal: Path, reports: Balances, deliver: Callable[[], Awaitable[None]]
) -> None:
    head, _ = write_episode(journal, segments=(4, 3, 2))
    (journal / str(head.episode_id) / "000001.sealed").unlink()
    await deliver()
    found = (await reports())[head.episode_id]
    assert (found.acknowledged, found.stored, found.lost) == (9, 6, 3)
    assert found.problems == ["steps 4 to 6 are missing", "segments [1] are missing"]


async def test_an_end_that_is_missing_is_found_by_what_the_player_saw(
    journal: Path, reports: Balances, deliver: Callable[[], Awaitable[None]]
) -> None:
    head, _ = write_episode(journal, segments=(4, 3))
    (journal / str(head.episode_id) / "000001.sealed").unlink()
    await deliver()
    found = (await reports(seen={head.episode_id: 7}))[head.episode_id]
    assert (found.lost, found.duplicated) == (3, 0)
    assert "steps 4 to 6 are missing at the end" in found.problems
    assert "it has no end, and none of its segments is in the journal" in found.problems


async def test_an_episode_of_which_nothing_is_left_is_lost(reports: Balances) -> None:
    nobody = UUID(int=1 << 32)
    assert (await reports(seen={nobody: 5}))[nobody].lost == 5


async def test_rows_that_are_gone_or_counted_twice_are_found(
    journal: Path, reports: Balances, deliver: Callable[[], Awaitable[None]], engine: AsyncEngine
) -> None:
    head, _ = write_episode(journal, segments=(4, 3))
    await deliver()
    await change(engine, "DELETE FROM transition WHERE step = 2")
    found = (await reports())[head.episode_id]
    assert (found.stored, found.lost) == (6, 1)
    assert "its segments have 7 transitions, the table has 6" in found.problems
    await change(engine, "UPDATE episode SET n_steps = 14")
    assert (await reports())[head.episode_id].duplicated == 8
    await change(engine, "UPDATE segment SET first_step = 3 WHERE number = 1")
    assert "1 steps are in two segments" in (await reports())[head.episode_id].problems


async def test_objects_that_are_missing_changed_or_foreign_are_named(
    journal: Path, reports: Balances, deliver: Callable[[], Awaitable[None]], objects: DiskObjects
) -> None:
    head, _ = write_episode(journal, segments=(4, 3))
    await deliver()
    place = f"episodes/{head.episode_id}"
    (objects.folder / place / "000000.png").unlink()
    (objects.folder / place / "000001.png").write_bytes(b"other")
    await objects.put(f"{place}/000002.png", b"whose")
    await objects.put("episodes/no-id/000000.png", b"whose")
    found = await reports(read=True)
    assert found[head.episode_id].problems == [
        f"object {place}/000000.png is missing",
        f"object {place}/000001.png does not have the recorded checksum",
        f"object {place}/000002.png belongs to no segment",
    ]
    assert found[UUID(int=0)].problems == ["1 objects belong to no episode: episodes/no-id/000000.png"]


async def test_an_object_that_was_erased_since_it_was_listed_is_no_trouble(
    journal: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    class Listed(DiskObjects):
        async def list(self, prefix: str) -> AsyncIterator[str]:
            yield f"episodes/{new_episode_id()}/000000.png"

    found = reconcile(journal, Listed(tmp_path / "objects"), engine)
    assert [report async for report in found] == []


async def test_the_command_says_it_in_a_table_and_by_its_exit_code(
    journal: Path, deliver: Callable[[], Awaitable[None]], engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, _ = write_episode(journal, segments=(4, 3))
    await deliver()
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(journal.parent))
    monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(False))
    seen = journal.parent / "seen.json"
    seen.write_text(json.dumps({str(head.episode_id): 7}))

    async def run(*words: str) -> tuple[int, str]:
        result = await asyncio.to_thread(CliRunner().invoke, app, ["check", *words])
        return result.exit_code, result.output

    code, said = await run("--seen", str(seen))
    assert (code, "1 episodes" in said, "all in order" in said) == (0, True, True)
    seen.write_text(json.dumps({str(head.episode_id): 9}))
    code, said = await run("--seen", str(seen), "--json")
    assert (code, json.loads(said)["lost"]) == (1, 2)
    seen.write_text("[1]")
    code, said = await run("--seen", str(seen))
    assert (code, "is not a JSON object of episode ids" in said) == (1, True)
