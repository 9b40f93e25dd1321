"""Creates database engines, transactions and the schema check. Every database is a Postgres."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import URL, NullPool, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from skill_arcade.errors import NotReady
from skill_arcade.settings import Settings
from skill_arcade.storage.database.cloud_sql import SERVER_SETTINGS, cloud_engine, cloud_name, cloud_url
from skill_arcade.storage.database.embedded import close_embedded, open_embedded

MIGRATIONS = Path(__file__).parent / "migrations"
CONNECT_TIMEOUT_SECONDS = 10
"""Timeout for opening a database connection, and for waiting for a free one of the pool."""


def database_url(settings: Settings) -> URL:
    """Return the URL of the database. The embedded Postgres is started first (blocking) and kept until process exit.

    Raises:
        SettingsError: the settings do not select a usable database.
        NotReady: the embedded Postgres does not start.
    """
    if settings.database_url is not None:
        return _for_asyncpg(make_url(str(settings.database_url)))
    if settings.gcp_sql_connection_name is not None:
        return cloud_url(settings)
    return open_embedded(settings.postgres_folder).server.url()


def create_engine(url: URL, size: int = 8, *, pool: bool = True) -> AsyncEngine:
    """Create an engine with a pool of at most `size` connections, or without a pool. It opens no connection yet."""
    options: dict[str, Any] = {"poolclass": NullPool}
    if pool:
        # No overflow: the settings check the sum of all pool sizes against the database's connection limit.
        options = {"pool_pre_ping": True, "pool_size": size, "max_overflow": 0, "pool_timeout": CONNECT_TIMEOUT_SECONDS}
    if cloud_name(url) is not None:
        return cloud_engine(url, **options)
    login = {"timeout": CONNECT_TIMEOUT_SECONDS, "server_settings": SERVER_SETTINGS}
    return create_async_engine(url, connect_args=login, **options)


@asynccontextmanager
async def open_engine(settings: Settings, size: int | None = None) -> AsyncIterator[AsyncEngine]:
    """Yield an engine. The embedded Postgres is started and migrated first, and released at the end.

    Another Postgres is migrated with `skill-arcade migrate`. The pool has `size` connections, by default
    `DATABASE_POOL_SIZE`.
    """
    url = await asyncio.to_thread(database_url, settings)
    engine = create_engine(url, size or settings.database_pool_size)
    try:
        if settings.use_embedded_postgres:
            await _bring_up_to_date(engine)
        yield engine
    finally:
        await engine.dispose()
        if settings.use_embedded_postgres:
            await asyncio.to_thread(close_embedded, settings.postgres_folder)


@asynccontextmanager
async def transaction(engine: AsyncEngine, *, snapshot: bool = False) -> AsyncIterator[AsyncConnection]:
    """Yield a connection in a transaction, which is committed at the end and rolled back after an exception.

    With `snapshot` the isolation level is REPEATABLE READ, so all queries see the state at the first one.

    Raises:
        NotReady: the database does not respond.
    """
    try:
        connection = await engine.connect()
    except (OSError, DBAPIError, PoolTimeout, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        where = engine.url.render_as_string(hide_password=True)
        raise NotReady(f"The database {where} does not answer: {error}") from error
    try:
        if snapshot:
            await connection.execution_options(isolation_level="REPEATABLE READ")
        async with connection.begin():
            yield connection
    finally:
        await connection.close()


async def check_schema(connection: AsyncConnection) -> None:
    """Check that the schema has the revision of this version or a later one.

    A release migrates the database before its servers start, and it can be rolled back. Migrations only add, so a
    server works with the schema of the next version. A revision that this version does not know is such a later one.

    Raises:
        NotReady: the schema is older or missing.
    """
    revision = await _read_revision(connection)
    *older, newest = list_revisions()
    if revision is None or revision in older:
        raise NotReady(
            f"The database schema is {revision or 'empty'}, this version needs {newest}: run `skill-arcade migrate`."
        )


def list_revisions() -> list[str]:
    """Return the schema revisions of this version, oldest first: the prefixes of the migration files' names."""
    return sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


async def _read_revision(connection: AsyncConnection) -> str | None:
    if await connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    revision: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


async def _bring_up_to_date(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        revision = await _read_revision(connection)
    if revision is None or revision in list_revisions()[:-1]:
        await asyncio.to_thread(migrate_sync, engine.url)


async def migrate(settings: Settings) -> None:
    """Migrate the database to the newest revision."""
    url = await asyncio.to_thread(database_url, settings)
    await asyncio.to_thread(migrate_sync, url)


def migrate_sync(url: URL) -> None:
    """Migrate the database to the newest revision. Must not be called in the thread of a running event loop."""
    from alembic import command  # noqa: PLC0415 - takes 0.25 s to import and is rarely needed
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["url"] = url
    command.upgrade(config, "head")


def _for_asyncpg(url: URL) -> URL:
    """Return a Postgres URL with the driver asyncpg, which calls the parameter `sslmode` `ssl`."""
    query = {("ssl" if key == "sslmode" else key): value for key, value in url.query.items()}
    return url.set(drivername="postgresql+asyncpg", query=query)
