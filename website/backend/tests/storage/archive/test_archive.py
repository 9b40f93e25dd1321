"""Archived episodes read as before, and no kill, second process or changed row loses a step of them."""

import asyncio
import json
import multiprocessing
import re
import signal
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow.parquet as pq
import pytest
from sqlalchemy import URL, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner, Result

import skill_arcade
import skill_arcade.dataset as sa
from skill_arcade.cli import app
from skill_arcade.errors import NotReady, RecordingDamaged
from skill_arcade.settings import Settings
from skill_arcade.storage.archive import archiver
from skill_arcade.storage.archive.archiver import Archiver
from skill_arcade.storage.archive.parquet import SCHEMA
from skill_arcade.storage.archive.removal import remove_archived, shrink_object, sweep
from skill_arcade.storage.archive.rows import STEP_VIEWS, show_archived
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.grants import grant_rights
from skill_arcade.storage.objects import ObjectStore, open_objects
from skill_arcade.storage.objects.disk import DiskObjects
from skill_arcade.uploader.reconcile import reconcile
from tests.conftest import execute
from tests.support import killed_archiver
from tests.support.archive import (
    ANY_AGE,
    archive_all,
    certify_all,
    count_rows,
    expire_leases,
    list_contents,
    list_places,
    read_all,
)
from tests.support.cloud.storage import StorageServer, storage_server
from tests.support.database import copied_database, opened_engine
from tests.support.recorded_episode import RecordedEpisode, record_episode

ODD = {
    0: ("'NaN'", {}),
    1: ("'Infinity'", {"text": 'a,"b"\n\tü 😀', "empty": ""}),
    2: ("-0.0", {"lives": 3, "nested": {"b": [1, 2.5, None], "a": "NULL"}}),
    3: ("5e-324", None),
    4: ("0.30000000000000004", {"lives": 12345678901234567890123}),
}


def record(url: URL, folder: Path, n: int = 3) -> list[RecordedEpisode]:
    """Record episodes of two players with odd values, certified."""
    users = ["ada", "bob"] * n
    recorded = [record_episode(url, folder, user=users[number]) for number in range(n)]

    async def change() -> None:
        async with opened_engine(url) as engine:
            async with transaction(engine) as connection:
                for step, (reward, info) in ODD.items():
                    values = {"info": None if info is None else json.dumps(info), "step": step}
                    await connection.execute(
                        text(
                            f"UPDATE transition SET reward = {reward}, info = CAST(:info AS jsonb) WHERE step = :step"
                        ),
                        values,
                    )
                await connection.execute(
                    text('UPDATE event SET data = \'{"frame": 6, "down": true, "control": "left"}\'')
                )
            await certify_all(engine)

    asyncio.run(change())
    return recorded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def episodes(database_url: URL, folder: Path) -> list[UUID]:
    return [one.id for one in record(database_url, folder)]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageServer]:
    with storage_server() as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.address)
        yield server


@pytest.fixture(params=["disk", "google"])
async def store(request: pytest.FixtureRequest, tmp_path: Path, anyio_backend: str) -> AsyncIterator[ObjectStore]:
    more = {}
    if request.param == "google":
        more["gcp_bucket_name"] = request.getfixturevalue("bucket").bucket.name
    opened = open_objects(Settings.model_validate({"skill_arcade_home": tmp_path, **more}))
    yield opened
    await opened.close()


@pytest.mark.anyio
async def test_archived_episode_reads_as_before(
    episodes: list[UUID], store: ObjectStore, engine: AsyncEngine, tmp_path: Path
) -> None:
    before = {episode: await read_all(engine, store, episode, tmp_path) for episode in episodes}
    done = await archive_all(engine, store)
    assert (done.n_episodes, done.n_steps, done.n_objects, done.n_waiting) == (3, 36, 1, 0)
    assert await count_rows(engine) == 0
    assert await list_contents(store) == await list_places(engine)
    for episode in episodes:
        after = await read_all(engine, store, episode, tmp_path)
        assert {name for name in after if after[name] != before[episode][name]} == set()
    assert [name for name in ("rows", *STEP_VIEWS) if not before[episodes[0]][name]] == []


@pytest.mark.anyio
async def test_dataset_of_researcher_reads_archived_episode_that_research_may_use(
    episodes: list[UUID], folder: Path, database_url: URL
) -> None:
    settings = Settings(database_url=database_url.render_as_string(False))

    def read(url: URL) -> list[Any]:
        with sa.open(url.render_as_string(False), folder) as dataset:
            return [
                (
                    one.id,
                    one.actions.tolist(),
                    one.times.tolist(),
                    one.infos,
                    one.find_changes(),
                    one.frames[3].tolist(),
                )
                for one in dataset.episodes()
            ]

    before = await asyncio.to_thread(read, database_url)
    async with opened_engine(database_url) as engine:
        await archive_all(engine, DiskObjects(folder))
    await execute(database_url, "CREATE ROLE ann_archive LOGIN")
    try:
        await grant_rights(settings, app=None, reader="ann_archive")
        found = await asyncio.to_thread(read, database_url.set(username="ann_archive"))
    finally:
        await execute(database_url, "DROP OWNED BY ann_archive")
        await execute(database_url, "DROP ROLE ann_archive")
    assert repr(found) == repr(before)
    assert len(found) == len(episodes)


@pytest.mark.anyio
async def test_statement_that_was_parsed_before_reads_archived_rows_too(
    episodes: list[UUID], folder: Path, database_url: URL
) -> None:
    objects = DiskObjects(folder)
    query = text("SELECT count(*) FROM transition WHERE episode_id = :id")
    async with opened_engine(database_url) as engine:
        await archive_all(engine, objects)
        found = []
        for is_shown in (False, True, False, True, False):
            async with engine.connect() as connection, connection.begin():  # the pool has one connection
                if is_shown:
                    await show_archived(connection, objects, episodes[:1])
                found.append(await connection.scalar(query, {"id": episodes[0]}))
    assert found == [0, 12, 0, 12, 0]


@pytest.mark.anyio
async def test_step_views_are_all_views_that_show_single_steps(engine: AsyncEngine) -> None:
    query = text("""
        WITH RECURSIVE reads AS (
            SELECT DISTINCT r.ev_class AS view, d.refobjid AS source FROM pg_rewrite r
            JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
            WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
        ), found AS (
            SELECT view FROM reads WHERE source = 'public.transition'::regclass
            UNION SELECT r.view FROM reads r JOIN found f ON f.view = r.source
        )
        SELECT c.relname FROM found f JOIN pg_class c ON c.oid = f.view
        WHERE c.relnamespace = 'public'::regnamespace
    """)
    async with transaction(engine) as connection:
        found = set((await connection.execute(query)).scalars())
    # These have the values of archived episodes from `archived_episode`.
    assert found == {*STEP_VIEWS, "episode_summary", "episode_pace"}


READERS = {
    "dataset/source.py": "shows archived rows before it reads",
    "storage/archive/archiver.py": "moves the rows",
    "storage/archive/index.py": "moves the rows",
    "storage/archive/rows.py": "shows archived rows",
    "storage/database/board_facts.py": "adds archived_episode.n_before_shown",
    "storage/database/branches.py": "shows archived rows before it reads",
    "storage/database/bulk_copy.py": "its caller shows archived rows",
    "storage/database/dataset_versions.py": "reads archived_episode.shown_md5",
    "storage/database/judgements.py": "shows archived rows before it reads",
    "storage/database/episode_measures.py": "shows archived rows before it reads",
    "storage/database/moved_episodes.py": "episodes without a final end, which are not archived",
    "storage/database/provisional_ends.py": "episodes without a final end, which are not archived",
    "storage/database/queries.py": "its caller shows archived rows; count_parts adds those of archived_episode",
    "storage/database/replay.py": "its callers show archived rows",
    "storage/database/researcher_role.py": "view of the table",
    "storage/database/segment_writer.py": "writes",
    "storage/database/stored_episodes.py": "adds archived_episode.n_steps",
    "storage/database/study_quality.py": "episodes of studies, which are not archived",
    "storage/database/tables/__init__.py": "definition",
    "storage/database/tables/episodes.py": "definition",
    "export/duckdb_views.py": "reads the objects of the archive",
    "export/tables.py": "by dataset/source.py",
}


def test_every_module_that_names_transitions_in_queries_is_known_to_read_archived_ones() -> None:
    root = Path(skill_arcade.__file__).parent
    names = re.compile(
        r'_?table\["transition"\]|\bTransition\b|(FROM|JOIN|INTO|UPDATE)\s+(public\.)?transition\b|"transition"'
    )
    found = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if "migrations" not in path.parts and names.search(path.read_text())
    }
    assert sorted(found - READERS.keys()) == []


@pytest.mark.anyio
async def test_rows_of_a_row_group_are_read_by_range(
    episodes: list[UUID], folder: Path, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = DiskObjects(folder)
    await archive_all(engine, objects)

    async def fail(_: str) -> bytes:
        raise AssertionError("the whole object is read")

    monkeypatch.setattr(objects, "get", fail)
    async with transaction(engine) as connection:
        await show_archived(connection, objects, episodes[1:2])
        rows = await connection.execute(text("SELECT DISTINCT episode_id FROM transition"))
        assert list(rows.scalars()) == episodes[1:2]


@pytest.mark.anyio
async def test_objects_have_a_row_group_for_each_episode_and_the_columns_of_a_transition(
    episodes: list[UUID], folder: Path, engine: AsyncEngine
) -> None:
    objects = DiskObjects(folder)
    await archive_all(engine, objects)
    ((key, members),) = (await list_contents(objects)).items()
    file = pq.ParquetFile(folder / key)
    assert members == set(episodes)
    assert [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)] == [12, 12, 12]
    assert file.schema_arrow.remove_metadata() == SCHEMA


@pytest.mark.anyio
async def test_command_archives_after_the_days_that_are_set_and_says_how_much(
    episodes: list[UUID], tmp_path: Path, engine: AsyncEngine, database_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url.render_as_string(False))
    monkeypatch.delenv("ARCHIVE_AFTER_DAYS", raising=False)

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["archive", *arguments])

    async with transaction(engine) as connection:
        await connection.execute(text("UPDATE episode SET time_ended = now() - interval '10 days'"))
        await connection.execute(
            text("UPDATE episode SET time_ended = now() - interval '30 days' WHERE id = :id"), {"id": episodes[0]}
        )
    unset = await run()
    assert (unset.exit_code, unset.stderr) == (
        1,
        "Nothing is archived: set ARCHIVE_AFTER_DAYS, or give --after-days.\n",
    )
    monkeypatch.setenv("ARCHIVE_AFTER_DAYS", "20")
    first, second = await run(), await run("--after-days", "5")
    assert "1 episodes with 12 transitions were archived" in first.stdout, first.output
    assert "2 episodes with 24 transitions were archived" in second.stdout, second.output
    assert await count_rows(engine) == 0


# What is not archived ---------------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE episode SET time_ended = NULL, end_reason = NULL WHERE id = :id",
        "UPDATE episode SET end_reason = 'server-lost' WHERE id = :id",
        "UPDATE episode SET end_reason = 'server-stopped', time_handed_over = now() WHERE id = :id",
        'UPDATE episode SET provenance = \'{"study": {"name": "ice"}}\' WHERE id = :id',
        "UPDATE certificate SET result = 'damaged' WHERE episode_id = :id",
        "DELETE FROM certificate WHERE episode_id = :id",
        "INSERT INTO work (kind, subject, time_due) SELECT 'certify', id::text, now() FROM episode WHERE id = :id",
        "INSERT INTO quarantine (episode_id, number, operation, code, reason, version) "
        "VALUES (:id, 9, 'rows', '', 'x', '1')",
        "INSERT INTO erasure (user_id, games) SELECT user_id, '{}' FROM episode WHERE id = :id",
    ],
)
async def test_episode_that_may_change_or_needs_its_rows_is_not_archived(
    episodes: list[UUID], folder: Path, engine: AsyncEngine, statement: str
) -> None:
    async with transaction(engine) as connection:
        await connection.execute(text(statement), {"id": episodes[1]})
    done = await Archiver(engine, DiskObjects(folder)).run(ANY_AGE)
    assert done.n_episodes == 2
    async with transaction(engine) as connection:
        left = await connection.execute(text("SELECT DISTINCT episode_id FROM transition"))
        assert list(left.scalars()) == [episodes[1]]


@pytest.mark.anyio
async def test_episode_that_ended_recently_is_not_archived(
    episodes: list[UUID], folder: Path, engine: AsyncEngine
) -> None:
    async with transaction(engine) as connection:
        await connection.execute(text("UPDATE episode SET time_ended = now() - interval '9 days'"))
        await connection.execute(
            text("UPDATE episode SET time_ended = now() - interval '11 days' WHERE id = :id"), {"id": episodes[0]}
        )
    assert (await Archiver(engine, DiskObjects(folder)).run(timedelta(days=10))).n_episodes == 1
    assert await count_rows(engine) == 24


@pytest.mark.anyio
async def test_episode_whose_rows_are_incomplete_stays_and_the_others_are_archived(
    episodes: list[UUID], folder: Path, engine: AsyncEngine
) -> None:
    async with transaction(engine) as connection:
        await connection.execute(
            text("DELETE FROM transition WHERE episode_id = :id AND step = 3"), {"id": episodes[0]}
        )
    done = await Archiver(engine, DiskObjects(folder)).run(ANY_AGE)
    assert (done.n_episodes, done.n_waiting, await count_rows(engine)) == (2, 1, 11)


# Processes ----------------------------------------------------------------------------------------------------------


async def prepare_copy(url: URL, erased: list[UUID], objects: DiskObjects) -> None:
    if erased:
        async with opened_engine(url) as engine:
            await Archiver(engine, objects).run(ANY_AGE)


def kill_at(url: URL, folder: Path, at: int, erased: list[UUID]) -> bool:
    """Run a process that is killed at a point. Return False if it ended before."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.killed_archiver"])
    process = context.Process(target=killed_archiver.run, args=(url.render_as_string(False), folder, at, erased))
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


@pytest.mark.anyio
async def test_R40_archiver_that_is_killed_at_any_step_loses_nothing_and_is_repeated(
    database_url: URL, episodes: list[UUID], folder: Path, tmp_path: Path
) -> None:
    async with opened_engine(database_url) as engine:
        before = {one: await read_all(engine, DiskObjects(folder), one, tmp_path) for one in episodes}
    at, was_killed = 0, True
    while was_killed:
        place = tmp_path / f"killed-{at}"
        objects = DiskObjects(place)
        async with copied_database(database_url) as url:
            was_killed = await asyncio.to_thread(kill_at, url, place, at, [])
            async with opened_engine(url) as engine:
                for one in episodes:  # whatever was done, everything can be read
                    async with transaction(engine) as connection:
                        await show_archived(connection, objects, [one])
                        query = text(
                            "SELECT count(DISTINCT step) = 12 AND count(*) = 12 FROM transition WHERE episode_id = :id"
                        )
                        assert await connection.scalar(query, {"id": one}), f"killed at {at}"
                await expire_leases(engine)
                done = await Archiver(engine, objects).run(ANY_AGE)
                assert (done.n_waiting, await count_rows(engine)) == (0, 0), f"killed at {at}"
                assert await list_contents(objects) == await list_places(engine), f"killed at {at}"
                after = {one: await read_all(engine, objects, one, tmp_path) for one in episodes[:1]}
                for one, found in after.items():
                    assert {name for name in found if found[name] != before[one][name]} == set(), f"killed at {at}"
        at += 1
    assert at > 10


@pytest.mark.anyio
async def test_removal_that_is_killed_at_any_step_is_repeated_and_keeps_the_others(
    database_url: URL, episodes: list[UUID], tmp_path: Path
) -> None:
    erased, kept = episodes[:1], set(episodes[1:])
    at, was_killed = 0, True
    while was_killed:
        place = tmp_path / f"killed-{at}"
        objects = DiskObjects(place)
        async with copied_database(database_url) as url:
            await prepare_copy(url, erased, objects)
            was_killed = await asyncio.to_thread(kill_at, url, place, at, erased)
            async with opened_engine(url) as engine:
                async with transaction(engine) as connection:
                    await show_archived(connection, objects, list(kept))
                await remove_archived(engine, objects, erased)
                await sweep(engine, objects, min_age=timedelta(0))
                contents = await list_contents(objects)
                assert contents == await list_places(engine), f"killed at {at}"
                assert set.union(*contents.values()) == kept, f"killed at {at}"
        at += 1
    assert at > 5


@pytest.mark.anyio
async def test_two_archivers_share_the_work(
    database_url: URL, folder: Path, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(record, database_url, folder, 8)
    monkeypatch.setattr(archiver, "MAX_OBJECT_EPISODES", 1)
    objects = DiskObjects(folder)
    async with opened_engine(database_url) as other:
        results = await asyncio.gather(Archiver(engine, objects).run(ANY_AGE), Archiver(other, objects).run(ANY_AGE))
    assert sum(done.n_episodes for done in results) == 8
    assert min(done.n_episodes for done in results) > 0
    contents = await list_contents(objects)
    assert contents == await list_places(engine)
    assert sorted(len(members) for members in contents.values()) == [1] * 8
    assert await count_rows(engine) == 0


ARCHIVED = "SELECT count(*) = 3 FROM archived_episode WHERE time_archived IS NOT NULL"
WAITS = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


async def wait_until(engine: AsyncEngine, query: str) -> None:
    async with asyncio.timeout(60):
        while True:
            async with transaction(engine) as connection:
                if await connection.scalar(text(query)):
                    return
            await asyncio.sleep(0.05)


@pytest.mark.anyio
@pytest.mark.parametrize("snapshot", [False, True])
async def test_reader_sees_rows_to_the_end_of_its_transaction_while_they_are_archived(
    database_url: URL, episodes: list[UUID], folder: Path, engine: AsyncEngine, snapshot: bool
) -> None:
    objects = DiskObjects(folder)
    query = text("SELECT count(*) FROM transition WHERE episode_id = :id")
    async with opened_engine(database_url) as other:
        async with transaction(engine, snapshot=snapshot) as connection:
            await show_archived(connection, objects, episodes[1:2])
            archiving = asyncio.create_task(Archiver(other, objects).run(ANY_AGE))
            await wait_until(engine, ARCHIVED if snapshot else WAITS)
            assert await connection.scalar(query, {"id": episodes[1]}) == 12
        assert (await archiving).n_episodes == 3
    async with transaction(engine) as connection:
        await show_archived(connection, objects, episodes[1:2])
        assert await connection.scalar(query, {"id": episodes[1]}) == 12


@pytest.mark.anyio
async def test_R40_rows_that_change_before_they_are_deleted_stay(
    episodes: list[UUID], folder: Path, engine: AsyncEngine
) -> None:
    objects = DiskObjects(folder)
    put = objects.put

    async def put_and_change(key: str, data: bytes) -> None:
        await put(key, data)
        async with transaction(engine) as connection:
            changed = text("UPDATE transition SET shown_us = 77 WHERE episode_id = :id AND step = 2")
            await connection.execute(changed, {"id": episodes[1]})

    objects.put = put_and_change  # type: ignore[method-assign]
    done = await Archiver(engine, objects).run(ANY_AGE)
    assert (done.n_episodes, await count_rows(engine)) == (2, 12)
    assert set.union(*(await list_contents(objects)).values()) == {episodes[0], episodes[2]}
    objects.put = put  # type: ignore[method-assign]
    assert (await Archiver(engine, objects).run(ANY_AGE)).n_episodes == 1
    async with transaction(engine) as connection:
        await show_archived(connection, objects, episodes)
        query = text("SELECT shown_us FROM transition WHERE episode_id = :id AND step = 2")
        assert await connection.scalar(query, {"id": episodes[1]}) == 77


@pytest.mark.anyio
async def test_R40_store_that_returns_other_bytes_keeps_the_rows(
    episodes: list[UUID], folder: Path, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = DiskObjects(folder)

    async def get(_: str) -> bytes:
        return b"something else"

    monkeypatch.setattr(objects, "get", get)
    with pytest.raises(RecordingDamaged, match="other bytes"):
        await Archiver(engine, objects).run(ANY_AGE)
    assert await count_rows(engine) == 36


@pytest.mark.anyio
async def test_store_that_refuses_the_object_keeps_the_rows_and_the_next_run_archives_them(
    episodes: list[UUID], folder: Path, engine: AsyncEngine
) -> None:
    objects = DiskObjects(folder)
    put = objects.put

    async def refuse(key: str, data: bytes) -> None:
        raise NotReady(f"The bucket does not accept {key} of {len(data)} bytes.")

    objects.put = refuse  # type: ignore[method-assign]
    with pytest.raises(NotReady):
        await Archiver(engine, objects).run(ANY_AGE)
    assert await count_rows(engine) == 36
    objects.put = put  # type: ignore[method-assign]
    assert (await Archiver(engine, objects).run(ANY_AGE)).n_episodes == 3
    assert await list_contents(objects) == await list_places(engine)


# Damage and repair --------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("damage", ["missing", "bits", "other rows"])
async def test_damaged_object_is_named_by_every_reader_and_by_check(
    episodes: list[UUID], folder: Path, engine: AsyncEngine, tmp_path: Path, damage: str
) -> None:
    objects = DiskObjects(folder)
    await archive_all(engine, objects)
    ((key, _),) = (await list_contents(objects)).items()
    if damage == "missing":
        (folder / key).unlink()
    elif damage == "bits":
        async with transaction(engine) as connection:
            place = (await connection.execute(text("SELECT first_byte, n_bytes FROM archived_episode LIMIT 1"))).one()
        data = bytearray((folder / key).read_bytes())
        # More than the header of a page, whose statistics no reader uses, so that the rows are damaged too.
        middle = place.first_byte + place.n_bytes // 2
        for i in range(middle, middle + 200):
            data[i] ^= 1
        (folder / key).write_bytes(data)
    else:
        async with transaction(engine) as connection:  # the second row group instead of the first
            await connection.execute(
                text(
                    "UPDATE archived_episode a SET (row_group, first_byte, n_bytes) = (SELECT row_group, first_byte, "
                    "n_bytes FROM archived_episode b WHERE b.row_group = 1) WHERE a.row_group = 0"
                )
            )
    damaged = 0
    for episode in episodes:
        try:
            async with transaction(engine) as connection:
                await show_archived(connection, objects, [episode])
        except RecordingDamaged:
            damaged += 1
    assert damaged == (3 if damage == "missing" else 1)
    reports = [report async for report in reconcile(tmp_path / "none", objects, engine, read=True)]
    assert sum(any("archive" in problem for problem in report.problems) for report in reports) == damaged


@pytest.mark.anyio
async def test_database_of_the_time_before_a_removal_finds_the_other_episodes_again(
    database_url: URL, episodes: list[UUID], folder: Path
) -> None:
    objects = DiskObjects(folder)
    async with opened_engine(database_url) as engine:
        await archive_all(engine, objects)
    async with copied_database(database_url) as restored_url:
        async with opened_engine(database_url) as engine:
            await remove_archived(engine, objects, episodes[:1])
        async with opened_engine(restored_url) as restored:
            with pytest.raises(RecordingDamaged):
                async with transaction(restored) as connection:
                    await show_archived(connection, objects, episodes[1:])
            await sweep(restored, objects, min_age=timedelta(0))
            async with transaction(restored) as connection:
                await show_archived(connection, objects, episodes[1:])
                assert await connection.scalar(text("SELECT count(*) FROM transition")) == 24


@pytest.mark.anyio
async def test_removals_of_two_episodes_of_an_object_at_once_keep_the_third(
    database_url: URL, episodes: list[UUID], folder: Path, engine: AsyncEngine
) -> None:
    objects = DiskObjects(folder)
    await archive_all(engine, objects)
    async with opened_engine(database_url) as other:
        await asyncio.gather(
            remove_archived(engine, objects, episodes[:1]), remove_archived(other, objects, episodes[1:2])
        )
    contents = await list_contents(objects)
    assert contents == await list_places(engine)
    assert list(contents.values()) == [{episodes[2]}]


@pytest.mark.anyio
async def test_object_without_a_row_is_deleted_when_it_is_old(
    episodes: list[UUID], folder: Path, engine: AsyncEngine
) -> None:
    objects = DiskObjects(folder)
    await archive_all(engine, objects)
    ((key, _),) = (await list_contents(objects)).items()
    async with transaction(engine) as connection:
        await connection.execute(text("DELETE FROM archived_episode"))
        await connection.execute(text("DELETE FROM archive_object"))
    await sweep(engine, objects)
    assert list(await list_contents(objects)) == [key]
    await sweep(engine, objects, min_age=timedelta(0))
    assert await list_contents(objects) == {}


@pytest.mark.anyio
async def test_sweep_during_a_removal_keeps_the_object_that_is_about_to_replace_another(
    database_url: URL, episodes: list[UUID], folder: Path, engine: AsyncEngine
) -> None:
    objects = DiskObjects(folder)
    await archive_all(engine, objects)
    put = objects.put

    async def put_and_sweep(key: str, data: bytes) -> None:
        await put(key, data)
        async with opened_engine(database_url) as other:
            await sweep(other, DiskObjects(folder))

    objects.put = put_and_sweep  # type: ignore[method-assign]
    await remove_archived(engine, objects, episodes[:1])
    contents = await list_contents(objects)
    assert contents == await list_places(engine)
    assert list(contents.values()) == [set(episodes[1:])]


@pytest.mark.anyio
async def test_object_whose_row_was_deleted_meanwhile_replaces_nothing(
    database_url: URL, episodes: list[UUID], folder: Path, engine: AsyncEngine
) -> None:
    objects = DiskObjects(folder)
    await archive_all(engine, objects)
    before, put = await list_contents(objects), objects.put

    async def put_and_sweep(key: str, data: bytes) -> None:
        await put(key, data)
        async with opened_engine(database_url) as other:  # as if the process was frozen for days
            await sweep(other, DiskObjects(folder), min_age=timedelta(0))

    objects.put = put_and_sweep  # type: ignore[method-assign]
    with pytest.raises((RecordingDamaged, IntegrityError)):
        await remove_archived(engine, objects, episodes[:1])
    assert await list_contents(objects) == before == await list_places(engine)


@pytest.mark.anyio
async def test_episode_that_no_row_names_is_removed_from_its_object(
    episodes: list[UUID], folder: Path, engine: AsyncEngine
) -> None:
    objects = DiskObjects(folder)
    await archive_all(engine, objects)
    ((key, _),) = (await list_contents(objects)).items()
    async with transaction(engine) as connection:  # as if it was erased while a frozen archiver held the object
        await connection.execute(text("DELETE FROM archived_episode WHERE episode_id = :id"), {"id": episodes[0]})
    await shrink_object(engine, objects, key)
    contents = await list_contents(objects)
    assert contents == await list_places(engine)
    assert list(contents.values()) == [set(episodes[1:])]
