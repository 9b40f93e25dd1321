"""A restored database is complete, or the difference is named; the copy is made by Postgres itself."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.erasures import begin_erasure
from skill_arcade.storage.database.queries import upsert_user
from skill_arcade.storage.objects.disk import DiskObjects
from skill_arcade.uploader.account_eraser import AccountEraser
from skill_arcade.uploader.restore_check import RestoreReport, check_restored
from skill_arcade.uploader.uploader import Uploader
from tests.support.database import copied_database, opened_engine
from tests.support.journals import write_episode

pytestmark = pytest.mark.anyio


class Restored:
    """A database in use with two episodes, and a copy of it as it was before whatever the test does."""

    def __init__(self, folder: Path, current: AsyncEngine, copy: AsyncEngine) -> None:
        self.current, self.copy, self.journal = current, copy, folder / "journal"
        self.objects = DiskObjects(folder / "objects")
        self.until = datetime.now(UTC)

    async def check(self) -> RestoreReport:
        return await check_restored(self.current, self.copy, self.objects, until=self.until, journal=self.journal)

    async def change(self, engine: AsyncEngine, statement: str) -> None:
        async with transaction(engine) as connection:
            await connection.execute(text(statement))


async def play(folder: Path, engine: AsyncEngine) -> None:
    (folder / "journal").mkdir(exist_ok=True)
    write_episode(folder / "journal", segments=(4, 3))
    await Uploader(folder / "journal", DiskObjects(folder / "objects"), engine, workers=1).drain()
    # The helper's episodes end at a time of their own.
    async with transaction(engine) as connection:
        await connection.execute(text("UPDATE episode SET time_ended = now() - interval '1 second'"))


@pytest.fixture
async def restored(database_url: URL, tmp_path: Path, anyio_backend: str) -> AsyncIterator[Restored]:
    async with opened_engine(database_url) as engine:
        async with transaction(engine) as connection:
            await upsert_user(connection, "user", "ann@example.org")
        for _ in range(2):
            await play(tmp_path, engine)
    async with (
        copied_database(database_url) as copy_url,
        opened_engine(database_url) as engine,
        opened_engine(copy_url) as copy,
    ):
        yield Restored(tmp_path, engine, copy)


async def test_restored_copy_is_complete(restored: Restored, tmp_path: Path) -> None:
    report = await restored.check()
    assert (report.n_episodes, report.n_steps, report.problems) == (2, 14, [])


async def test_restored_copy_lacks_only_what_came_later(restored: Restored, tmp_path: Path) -> None:
    async with transaction(restored.current) as connection:
        before = (await connection.execute(text("SELECT id, time_ended FROM episode"))).all()
    await play(tmp_path, restored.current)
    async with transaction(restored.current) as connection:
        for id_, time_ended in before:
            await connection.execute(
                text("UPDATE episode SET time_ended = :time WHERE id = :id"), {"time": time_ended, "id": id_}
            )
    assert (await restored.check()).problems == []


async def test_restored_copy_erases_again_what_was_erased_since(restored: Restored) -> None:
    async with transaction(restored.current) as connection:
        assert await begin_erasure(connection, "user")
    await AccountEraser(restored.journal, restored.objects, restored.current).erase_all()
    report = await restored.check()
    assert (report.n_episodes, report.n_erased_accounts, report.problems) == (0, 1, [])


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE segment SET rows_sha256 = 'x' WHERE number = 0", "differs"),
        ("UPDATE episode SET n_steps = n_steps + 1", "differs"),
        ("DELETE FROM transition WHERE step = 2", "the table has 6"),
        (
            "UPDATE episode SET time_ended = NULL WHERE id = (SELECT min(id::text)::uuid FROM episode)",
            "is missing in the restored database",
        ),
    ],
)
async def test_restored_copy_with_a_fault_names_it(restored: Restored, statement: str, problem: str) -> None:
    await restored.change(restored.copy, statement)
    report = await restored.check()
    assert any(problem in text for text in report.problems), report
