"""Alembic's environment: it connects to the database in the same way as the server."""

import asyncio
import logging
import random
import time
from logging.config import fileConfig
from typing import Literal

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlmodel.sql.sqltypes import AutoString

from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import create_engine, database_url
from skill_arcade.storage.database.researcher_role import drop_views, grant_read_access
from skill_arcade.storage.database.tables import Table

# Key of an advisory lock. Two servers that start at the same time migrate one after the other.
LOCK = 7_553_201


def render_type(kind: str, item: object, _: object) -> str | Literal[False]:
    """Render SQLModel's text type as `sa.String()` in new migrations."""
    return "sa.String()" if kind == "type" and isinstance(item, AutoString) else False


LOCK_TIMEOUT_MS = 5000
"""Limit of the wait for a lock on a table. Everybody who uses the table waits behind a migration that waits."""
MAX_TRIES = 20
RETRY_PAUSE_SECONDS = 10.0
LOCK_NOT_AVAILABLE = "55P03"

log = logging.getLogger("skill_arcade.migrations")


def migrate_with_retry(connection: Connection) -> None:
    """Migrate, and try again if a table stays locked, so that those who wait for it get their turn in between.

    Raises:
        DBAPIError: a migration failed, or a table was locked in each of MAX_TRIES tries.
    """
    pause = context.config.attributes.get("retry_pause_seconds", RETRY_PAUSE_SECONDS)
    for number in range(1, MAX_TRIES + 1):
        try:
            return migrate(connection)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE or number == MAX_TRIES:
                raise
            connection.rollback()
            log.warning("migration waits for a lock, retrying try=%d of=%d", number, MAX_TRIES)
            time.sleep(pause * random.uniform(0.5, 1.5))
    raise AssertionError


def migrate(connection: Connection) -> None:
    """Run all migrations in one transaction."""
    lock_timeout = context.config.attributes.get("lock_timeout_ms", LOCK_TIMEOUT_MS)
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        compare_server_default=True,
        render_item=render_type,
    )
    with context.begin_transaction():
        # Another server that migrates is waited for; a lock on a table is not.
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        connection.execute(text(f"SET LOCAL lock_timeout = {lock_timeout}"))
        if changes_tables():
            drop_views(connection)
        context.run_migrations()
        grant_read_access(connection)


def changes_tables() -> bool:
    """Return whether the command goes to another version than the database has."""
    newest = context.get_head_revision()
    try:
        destination = context.get_revision_argument()
    except KeyError:  # a command such as `alembic check`
        return False
    is_newest = destination in ("head", "heads", newest)
    return not is_newest or context.get_context().get_current_heads() != (newest,)


async def connect() -> None:
    """Migrate over a new connection."""
    url = context.config.attributes.get("url") or database_url(Settings())
    engine = create_engine(url, pool=False)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(migrate_with_retry)
    finally:
        await engine.dispose()


if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=Table.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    if context.config.config_file_name is not None:
        fileConfig(context.config.config_file_name, disable_existing_loggers=False)
    asyncio.run(connect())
