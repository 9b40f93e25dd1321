"""One Postgres everywhere: which one, and how to talk to it."""

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
from skill_arcade.storage.database.cloud_sql import cloud_engine, cloud_name, cloud_url
from skill_arcade.storage.database.embedded import close_embedded, open_embedded

MIGRATIONS = Path(__file__).parent / "migrations"
CONNECT_TIMEOUT_SECONDS = 10
"""Timeout of a new database connection."""


def database_url(settings: Settings) -> URL:
    """Say which database it is. Starts the embedded one (blocking) and keeps it until this process ends.

    Raises:
        SettingsError: the settings name a database that can't be reached this way.
        NotReady: the embedded Postgres does not start.
    """
    if settings.database_url is not None:
        return _for_asyncpg(make_url(str(settings.database_url)))
    if settings.gcp_sql_connection_name is not None:
        return cloud_url(settings)
    return open_embedded(settings.postgres_folder).server.url()


def create_engine(url: URL, size: int = 8, *, pool: bool = True) -> AsyncEngine:
    """Make a pool of at most `size` connections, or none that is kept. None is opened yet."""
    options: dict[str, Any] = {"poolclass": NullPool}
    if pool:
        # No overflow: the settings hold the pools of all servers against what the database allows.
        options = {"pool_pre_ping": True, "pool_size": size, "max_overflow": 0, "pool_timeout": CONNECT_TIMEOUT_SECONDS}
    if cloud_name(url) is not None:
        return cloud_engine(url, **options)
    login = {"timeout": CONNECT_TIMEOUT_SECONDS, "server_settings": {"application_name": "skill-arcade"}}
    return create_async_engine(url, connect_args=login, **options)


@asynccontextmanager
async def open_engine(settings: Settings, size: int | None = None) -> AsyncIterator[AsyncEngine]:
    """Start the embedded Postgres if that is the choice, migrate it, and let all go at the end.

    Another Postgres is migrated by command: `skill-arcade migrate`. `size`: connections, if not DATABASE_POOL_SIZE.
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
    """A connection in a transaction: committed at the end, rolled back by an exception.

    With `snapshot`, all its questions see the database as it stood at the first one.

    Raises:
        NotReady: the database does not answer.
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
    """Return if the tables are those of this version, or of one after it.

    A release migrates before its servers start, and may be taken back: migrations only add, so the version before
    works on with the tables of the next. A revision that this version does not know is such a later one.

    Raises:
        NotReady: they are older, or there are none.
    """
    found = await _read_revision(connection)
    *older, wanted = list_revisions()
    if found is None or found in older:
        raise NotReady(
            f"The database's schema is {found or 'empty'}, this version needs {wanted}: run `skill-arcade migrate`."
        )


def list_revisions() -> list[str]:
    """Every revision of the schema that this version knows, oldest first: what its files are called begins with it."""
    return sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


async def _read_revision(connection: AsyncConnection) -> str | None:
    if await connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    found: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


async def _bring_up_to_date(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        found = await _read_revision(connection)
    if found is None or found in list_revisions()[:-1]:
        await asyncio.to_thread(migrate_sync, engine.url)


async def migrate(settings: Settings) -> None:
    """Bring the database to the newest schema."""
    url = await asyncio.to_thread(database_url, settings)
    await asyncio.to_thread(migrate_sync, url)


def migrate_sync(url: URL) -> None:
    """Bring the database to the newest schema. Not to be called from a running event loop's thread."""
    from alembic import command  # noqa: PLC0415 - a quarter of a second at every start, and hardly ever needed
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["url"] = url
    command.upgrade(config, "head")


def _for_asyncpg(url: URL) -> URL:
    """Any address of a Postgres, as the driver here understands it: `sslmode` is its `ssl`."""
    query = {("ssl" if key == "sslmode" else key): value for key, value in url.query.items()}
    return url.set(drivername="postgresql+asyncpg", query=query)
