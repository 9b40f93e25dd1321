"""Commands that ask the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import check_schema, open_engine, transaction


@asynccontextmanager
async def open_source(settings: Settings) -> AsyncIterator[AsyncConnection]:
    """A connection to the database, started and migrated if it is the embedded one.

    Raises:
        NotReady: it does not answer, or another version made its tables.
    """
    async with open_engine(settings) as engine, transaction(engine, snapshot=True) as connection:
        await check_schema(connection)
        yield connection


async def check_current(settings: Settings) -> str:
    """Say that the tables are those of this version, and where they are."""
    async with open_source(settings) as connection:
        address = connection.engine.url.set(drivername="postgresql").render_as_string(hide_password=True)
    where = f"the embedded Postgres in {settings.postgres_folder}" if settings.use_embedded_postgres else address
    return f"The tables of {where} are those of this version."
