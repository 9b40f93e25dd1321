"""Alembic's environment: it connects to the database in the same way as the server."""

import asyncio
from logging.config import fileConfig
from typing import Literal

from alembic import context
from sqlalchemy import Connection, text
from sqlmodel.sql.sqltypes import AutoString

from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import create_engine, database_url
from skill_arcade.storage.database.researcher_role import grant_read_access
from skill_arcade.storage.database.tables import Table

# Key of an advisory lock. Two servers that start at the same time migrate one after the other.
LOCK = 7_553_201


def render_type(kind: str, item: object, _: object) -> str | Literal[False]:
    """Render SQLModel's text type as `sa.String()` in new migrations."""
    return "sa.String()" if kind == "type" and isinstance(item, AutoString) else False


def migrate(connection: Connection) -> None:
    """Run all migrations in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        compare_server_default=True,
        render_item=render_type,
    )
    with context.begin_transaction():
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        context.run_migrations()
        grant_read_access(connection)


async def connect() -> None:
    """Migrate over a new connection."""
    url = context.config.attributes.get("url") or database_url(Settings())
    engine = create_engine(url, pool=False)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
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
