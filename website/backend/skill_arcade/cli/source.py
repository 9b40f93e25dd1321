"""Database access of the commands."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import check_schema, open_engine, transaction


@asynccontextmanager
async def open_source(settings: Settings) -> AsyncIterator[AsyncConnection]:
    """Yield a connection to the database. The embedded Postgres is started and migrated first.

    Raises:
        NotReady: the database does not answer, or its schema has another version.
    """
    async with open_engine(settings) as engine, transaction(engine, snapshot=True) as connection:
        await check_schema(connection)
        yield connection


async def check_current(settings: Settings) -> str:
    """Return a message that the schema is up to date, with the location of the database."""
    async with open_source(settings) as connection:
        address = connection.engine.url.set(drivername="postgresql").render_as_string(hide_password=True)
    location = f"the embedded Postgres in {settings.postgres_folder}" if settings.use_embedded_postgres else address
    return f"The schema of {location} is up to date."
