"""Tests of the account eraser: an erased account leaves a tombstone only, in any order of events."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import AccountErased
from skill_arcade.ids import new_episode_id
from skill_arcade.recording.segment import DAMAGED_SUFFIX
from skill_arcade.settings import Settings
from skill_arcade.storage.archive.parquet import open_object
from skill_arcade.storage.database.certificates import NewCertificate, add_certificate
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.erasures import begin_erasure, get_erasure, id_after_erasure, lock_user
from skill_arcade.storage.database.queries import upsert_user
from skill_arcade.storage.database.tables import CertificateResult, Table
from skill_arcade.storage.objects import ObjectStore, open_objects
from skill_arcade.uploader.account_eraser import AccountEraser, replay_erasures
from skill_arcade.uploader.reconcile import reconcile
from skill_arcade.uploader.uploader import Uploader
from tests.support.archive import archive_all, certify_all, list_contents, read_all
from tests.support.cloud.storage import Answer, StorageServer, storage_server
from tests.support.journals import write_episode
from tests.support.uploads import read_rows

pytestmark = pytest.mark.anyio
EMAIL = "ann@example.org"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageServer]:
    with storage_server() as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.address)
        yield server


@pytest.fixture(params=["disk", "google"])
async def objects(request: pytest.FixtureRequest, tmp_path: Path, anyio_backend: str) -> AsyncIterator[ObjectStore]:
    more = {}
    if request.param == "google":
        more["gcp_bucket_name"] = request.getfixturevalue("bucket").bucket.name
    store = open_objects(Settings.model_validate({"skill_arcade_home": tmp_path, **more}))
    yield store
    await store.close()


@pytest.fixture
async def uploader(journal: Path, objects: ObjectStore, engine: AsyncEngine) -> Uploader:
    async with transaction(engine) as connection:
        await upsert_user(connection, "user", EMAIL)
    return Uploader(journal, objects, engine, workers=2)


@pytest.fixture
def eraser(journal: Path, objects: ObjectStore, engine: AsyncEngine) -> AccountEraser:
    return AccountEraser(journal, objects, engine)


async def close_account(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        assert await begin_erasure(connection, "user")


ABOUT_NO_PLAYER = (
    *("game", "erasure", "baseline", "baseline_source", "published_agent", "published_score"),
    *("consent_document", "consent_decision"),
)


async def all_rows(engine: AsyncEngine) -> str:
    """Return all rows of all tables that are about players, as text: not games, tombstones, baselines, documents."""
    lines = []
    async with engine.connect() as connection:
        for table in Table.metadata.sorted_tables:
            if table.name not in ABOUT_NO_PLAYER:
                lines += [str(row) for row in await connection.execute(text(f'SELECT * FROM "{table.name}"'))]
    return "\n".join(lines)


async def tombstone(engine: AsyncEngine) -> tuple[bool, dict[str, dict[str, int]]]:
    async with transaction(engine) as connection:
        tombstone_row = await get_erasure(connection, "user")
    assert tombstone_row is not None
    return tombstone_row.time_erased is not None, tombstone_row.games


async def test_erasure_deletes_all_data_and_keeps_counts(
    uploader: Uploader, eraser: AccountEraser, journal: Path, objects: ObjectStore, engine: AsyncEngine
) -> None:
    for _ in range(2):
        header, _ = write_episode(journal, segments=(4, 3))
    await uploader.drain()
    certificate = NewCertificate(header.episode_id, CertificateResult.certified, None, "", 7, 0.1, {})
    async with transaction(engine) as connection:
        await add_certificate(connection, certificate)
    assert [key async for key in objects.list("")]
    assert EMAIL in await all_rows(engine)
    for user in ("user", "user2"):
        await objects.put(f"exports/{user}/0/export.zip", b"recordings")
    await close_account(engine)
    await eraser.erase_all()
    assert await all_rows(engine) == ""
    assert [key async for key in objects.list("episodes/")] == []
    assert [key async for key in objects.list("exports/")] == ["exports/user2/0/export.zip"]
    assert list(journal.iterdir()) == []
    assert await tombstone(engine) == (True, {"breakout": {"episodes": 2, "steps": 14}})


async def test_erasure_deletes_objects_of_earlier_versions(
    uploader: Uploader, eraser: AccountEraser, journal: Path, objects: ObjectStore, engine: AsyncEngine
) -> None:
    header, _ = write_episode(journal)
    await uploader.drain()
    await objects.put(f"episodes/{header.episode_id}/000009.png", b"before keys were spread")
    await close_account(engine)
    await eraser.erase_all()
    assert [key async for key in objects.list("episodes/")] == []


async def test_erasure_drops_segments_in_journal(
    uploader: Uploader, eraser: AccountEraser, journal: Path, objects: ObjectStore, engine: AsyncEngine
) -> None:
    write_episode(journal, segments=(4, 3))
    await close_account(engine)
    await eraser.erase_all()
    assert await tombstone(engine) == (False, {})
    await uploader.drain()
    assert uploader.stats.failures == 0
    await eraser.erase_all()
    assert await tombstone(engine) == (True, {})
    assert (await all_rows(engine), list(journal.iterdir())) == ("", [])
    assert [key async for key in objects.list("episodes/")] == []


async def test_upload_after_erasure_is_dropped(
    uploader: Uploader, eraser: AccountEraser, journal: Path, objects: ObjectStore, engine: AsyncEngine
) -> None:
    await close_account(engine)
    await eraser.erase_all()
    write_episode(journal)
    await uploader.drain()
    assert (await all_rows(engine), list(journal.iterdir())) == ("", [])
    assert [key async for key in objects.list("episodes/")] == []


async def test_erasure_deletes_damaged_segments(
    uploader: Uploader, eraser: AccountEraser, journal: Path, engine: AsyncEngine
) -> None:
    header, _ = write_episode(journal, segments=(4, 3))
    sealed = journal / str(header.episode_id) / "000001.sealed"
    sealed.write_bytes(sealed.read_bytes()[:-20])
    await uploader.drain()
    assert sealed.with_suffix(DAMAGED_SUFFIX).exists()
    await close_account(engine)
    await eraser.erase_all()
    assert list(journal.iterdir()) == []
    assert (await tombstone(engine))[0]


async def test_erasure_of_other_player_changes_nothing(
    uploader: Uploader, eraser: AccountEraser, journal: Path, objects: ObjectStore, engine: AsyncEngine
) -> None:
    write_episode(journal)
    await uploader.drain()
    before, stored_keys = await all_rows(engine), [key async for key in objects.list("episodes/")]
    async with transaction(engine) as connection:
        await upsert_user(connection, "other", "other@example.org")
        assert await begin_erasure(connection, "other")
    await eraser.erase_all()
    assert await all_rows(engine) == before
    assert [key async for key in objects.list("episodes/")] == stored_keys


async def test_sign_in_after_erasure_gets_new_id(
    uploader: Uploader, eraser: AccountEraser, engine: AsyncEngine
) -> None:
    await close_account(engine)
    async with transaction(engine) as connection:
        new_id = await upsert_user(connection, "user", EMAIL)
        assert (new_id, await upsert_user(connection, "user", EMAIL)) == (id_after_erasure("user"), new_id)
    await eraser.erase_all()
    async with transaction(engine) as connection:
        assert await upsert_user(connection, "user", EMAIL) == new_id
        await lock_user(connection, new_id)
        with pytest.raises(AccountErased):
            await lock_user(connection, "user")


async def test_certificate_of_erased_episode_is_dropped(
    eraser: AccountEraser, uploader: Uploader, engine: AsyncEngine
) -> None:
    await close_account(engine)
    await eraser.erase_all()
    certificate = NewCertificate(new_episode_id(), CertificateResult.damaged, None, "gone", 0, 0.1, {})
    async with transaction(engine) as connection:
        await add_certificate(connection, certificate)
    assert await all_rows(engine) == ""


async def test_erasure_after_store_outage_is_completed(
    journal: Path, engine: AsyncEngine, bucket: StorageServer, tmp_path: Path
) -> None:
    settings = Settings.model_validate({"skill_arcade_home": tmp_path, "gcp_bucket_name": bucket.bucket.name})
    store = open_objects(settings)
    try:
        async with transaction(engine) as connection:
            await upsert_user(connection, "user", EMAIL)
        write_episode(journal)
        await Uploader(journal, store, engine, workers=1).drain()
        await close_account(engine)
        bucket.faults["list"].append(Answer(403))
        eraser = AccountEraser(journal, store, engine)
        await eraser.erase_all()
        assert "breakout" in await all_rows(engine)
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE work SET time_due = now()"))
        await eraser.erase_all()
        assert (await all_rows(engine), [key async for key in store.list("episodes/")]) == ("", [])
    finally:
        await store.close()


async def test_failing_erasure_does_not_hold_up_others(
    journal: Path, objects: ObjectStore, engine: AsyncEngine, uploader: Uploader, eraser: AccountEraser
) -> None:
    write_episode(journal, segments=(4, 4))
    await uploader.drain()
    await close_account(engine)
    async with transaction(engine) as connection:
        # A withdrawal whose subject is no id, which fails for good, is due before.
        await connection.execute(
            text("INSERT INTO work (kind, subject, time_due) VALUES ('withdraw', 'no id', now() - interval '1 min')")
        )
    await eraser.erase_all()
    await eraser.erase_all()
    assert await tombstone(engine) == (True, {"breakout": {"episodes": 1, "steps": 8}})
    # On a slow machine the withdrawal is due again at the second call.
    assert await read_rows(engine, "SELECT subject, attempts > 0, worker FROM work") == [("no id", True, None)]


async def test_two_servers_erase_an_account_once_and_each_purges_its_journal(
    journal: Path, objects: ObjectStore, engine: AsyncEngine, uploader: Uploader, eraser: AccountEraser, tmp_path: Path
) -> None:
    write_episode(journal, segments=(3, 2), infos={1: {"said": "a\0b"}})
    await uploader.drain()
    assert uploader.stats.quarantined == 1
    other = AccountEraser(tmp_path / "other", objects, engine)
    await close_account(engine)
    await other.erase_all()
    assert (await tombstone(engine))[0]
    assert list(journal.iterdir()) != []
    await eraser.erase_all()
    await eraser.purge_journal()
    assert list(journal.iterdir()) == []


async def test_reconcile_during_erasure_reports_no_problem(
    journal: Path, objects: ObjectStore, engine: AsyncEngine, uploader: Uploader, eraser: AccountEraser
) -> None:
    write_episode(journal, segments=(4, 3))
    await uploader.drain()
    await close_account(engine)
    keys = [key async for key in objects.list("")]
    await objects.delete(keys[0])  # the erasure has started
    assert [report async for report in reconcile(journal, objects, engine)] == []


async def test_erasure_deletes_quarantined_segments_and_their_copies(
    journal: Path, uploader: Uploader, eraser: AccountEraser, engine: AsyncEngine, objects: ObjectStore
) -> None:
    write_episode(journal, segments=(3, 2), infos={1: {"said": "a\0b"}})
    await uploader.drain()
    assert uploader.stats.quarantined == 1
    assert [key async for key in objects.list("episodes/") if "quarantine" in key]
    await close_account(engine)
    await eraser.erase_all()
    assert list(journal.iterdir()) == []
    assert [key async for key in objects.list("episodes/")] == []


async def test_replay_after_restore_erases_account_again(
    uploader: Uploader, eraser: AccountEraser, objects: ObjectStore, engine: AsyncEngine
) -> None:
    await close_account(engine)
    await eraser.erase_all()
    assert await replay_erasures(objects, engine) == (1, 0)
    # The backup is from before the erasure: it has the account, and no tombstone.
    async with transaction(engine) as connection:
        await connection.execute(text("DELETE FROM erasure"))
    async with transaction(engine) as connection:
        await upsert_user(connection, "user", EMAIL)
        await upsert_user(connection, "another", "bob@example.org")
    assert await replay_erasures(objects, engine) == (1, 1)
    await eraser.erase_all()
    rows = await all_rows(engine)
    assert EMAIL not in rows
    assert "bob@example.org" in rows
    assert (await tombstone(engine))[0]
    with pytest.raises(AccountErased):
        async with transaction(engine) as connection:
            await lock_user(connection, "user")


async def test_replay_into_empty_database_keeps_account_from_coming_back(
    eraser: AccountEraser, uploader: Uploader, objects: ObjectStore, engine: AsyncEngine
) -> None:
    await close_account(engine)
    await eraser.erase_all()
    async with transaction(engine) as connection:
        await connection.execute(text("DELETE FROM erasure"))
    assert await replay_erasures(objects, engine) == (1, 0)
    assert (await tombstone(engine))[0]


async def test_erasure_removes_archived_transitions_and_keeps_those_of_others(
    uploader: Uploader,
    eraser: AccountEraser,
    journal: Path,
    objects: ObjectStore,
    engine: AsyncEngine,
    tmp_path: Path,
) -> None:
    async with transaction(engine) as connection:
        await upsert_user(connection, "other", "bob@example.org")
    header, _ = write_episode(journal, segments=(4, 3))
    other, _ = write_episode(journal, segments=(4, 3), user_id="other")
    await uploader.drain()
    await certify_all(engine)
    before = await read_all(engine, objects, other.episode_id, tmp_path)
    await archive_all(engine, objects)
    assert list((await list_contents(objects)).values()) == [{header.episode_id, other.episode_id}]
    await close_account(engine)
    await eraser.erase_all()
    (key,) = await list_contents(objects)
    file = open_object(await objects.get(key))
    everything = f"{file.read().to_pylist()} {file.metadata.metadata} {await all_rows(engine)}"
    assert str(header.episode_id) not in everything
    assert str(other.episode_id) in everything
    after = await read_all(engine, objects, other.episode_id, tmp_path)
    assert {name for name in after if after[name] != before[name]} == set()
    assert await tombstone(engine) == (True, {"breakout": {"episodes": 1, "steps": 7}})


async def test_erasure_of_all_players_of_an_object_deletes_it(
    uploader: Uploader, eraser: AccountEraser, journal: Path, objects: ObjectStore, engine: AsyncEngine
) -> None:
    for _ in range(3):
        write_episode(journal)
    await uploader.drain()
    await archive_all(engine, objects)
    assert await list_contents(objects) != {}
    await close_account(engine)
    await eraser.erase_all()
    assert [key async for key in objects.list("archive/")] == []
    assert await all_rows(engine) == ""
