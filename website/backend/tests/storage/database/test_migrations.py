"""Tests of the migrations: they create the schema of the tables, and they can be reverted."""

import asyncio
import logging

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, text

from skill_arcade.storage.database.engine import list_revisions, migrate_sync
from tests.conftest import opened_engine


def make_config(url: URL) -> Config:
    alembic_config = Config("alembic.ini")
    alembic_config.attributes["url"] = url
    return alembic_config


async def list_names(url: URL) -> set[str]:
    query = "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public'"
    types = "SELECT typname FROM pg_type JOIN pg_namespace n ON n.oid = typnamespace WHERE nspname = 'public'"
    async with opened_engine(url) as engine, engine.connect() as connection:
        return {row[0] for row in await connection.execute(text(f"{query} UNION {types}"))}


def test_migration_files_are_named_by_revision_in_order() -> None:
    scripts = ScriptDirectory.from_config(Config("alembic.ini"))
    assert list_revisions() == [script.revision for script in reversed(list(scripts.walk_revisions()))]


def test_migrations_create_schema_of_tables(database_url: URL) -> None:
    command.check(make_config(database_url))


def test_downgrade_to_base_drops_everything_and_upgrade_restores_it(database_url: URL) -> None:
    before = asyncio.run(list_names(database_url))
    assert {"user", "game", "episode", "transition", "segment", "event"} <= before
    command.downgrade(make_config(database_url), "base")
    assert asyncio.run(list_names(database_url)) == {"alembic_version", "_alembic_version", "alembic_version_pkc"}
    migrate_sync(database_url)
    assert asyncio.run(list_names(database_url)) == before


def test_upgrade_of_current_schema_changes_nothing(database_url: URL) -> None:
    before = asyncio.run(list_names(database_url))
    migrate_sync(database_url)
    assert asyncio.run(list_names(database_url)) == before


async def hold_lock(url: URL, released: asyncio.Event, held: asyncio.Event) -> None:
    """Hold a lock on a table until `released`."""
    async with opened_engine(url) as engine, engine.begin() as connection:
        await connection.execute(text("LOCK TABLE episode IN ACCESS EXCLUSIVE MODE"))
        held.set()
        await released.wait()


async def migrate_beside_lock(url: URL, config: Config, retries: list[str]) -> None:
    """Migrate while another session holds a table, and release it at the first retry."""
    released, held = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    class Watch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            retries.append(record.getMessage())
            loop.call_soon_threadsafe(released.set)

    watch = Watch()
    logging.getLogger("skill_arcade.migrations").addHandler(watch)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(hold_lock(url, released, held))
            await held.wait()
            await asyncio.to_thread(command.upgrade, config, "head")
            released.set()
    finally:
        logging.getLogger("skill_arcade.migrations").removeHandler(watch)


def test_upgrade_beside_locked_table_gives_up_the_wait_and_retries(database_url: URL) -> None:
    config = make_config(database_url)
    command.downgrade(config, "0010")
    config.attributes |= {"retry_pause_seconds": 0.05, "lock_timeout_ms": 200}
    retries: list[str] = []
    asyncio.run(migrate_beside_lock(database_url, config, retries))
    assert retries
    assert all("migration waits for a lock" in line for line in retries)
    command.check(config)
