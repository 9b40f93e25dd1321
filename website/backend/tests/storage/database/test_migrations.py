"""The migrations make what the tables say, and take it back."""

import asyncio

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, text

from skill_arcade.storage.database.engine import list_revisions, migrate_sync
from tests.conftest import opened_engine


def config(url: URL) -> Config:
    made = Config("alembic.ini")
    made.attributes["url"] = url
    return made


async def names(url: URL) -> set[str]:
    query = "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public'"
    types = "SELECT typname FROM pg_type JOIN pg_namespace n ON n.oid = typnamespace WHERE nspname = 'public'"
    async with opened_engine(url) as engine, engine.connect() as connection:
        return {row[0] for row in await connection.execute(text(f"{query} UNION {types}"))}


def test_the_files_are_named_by_their_revisions_in_order() -> None:
    scripts = ScriptDirectory.from_config(Config("alembic.ini"))
    assert list_revisions() == [script.revision for script in reversed(list(scripts.walk_revisions()))]


def test_the_tables_and_the_migrations_agree(database_url: URL) -> None:
    command.check(config(database_url))


def test_downgrade_leaves_nothing_and_upgrade_comes_back(database_url: URL) -> None:
    before = asyncio.run(names(database_url))
    assert {"user", "game", "episode", "transition", "segment", "event"} <= before
    command.downgrade(config(database_url), "base")
    assert asyncio.run(names(database_url)) == {"alembic_version", "_alembic_version", "alembic_version_pkc"}
    migrate_sync(database_url)
    assert asyncio.run(names(database_url)) == before


def test_upgrading_twice_changes_nothing(database_url: URL) -> None:
    before = asyncio.run(names(database_url))
    migrate_sync(database_url)
    assert asyncio.run(names(database_url)) == before
