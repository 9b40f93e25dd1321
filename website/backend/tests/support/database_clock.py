"""A clock of a test's database: `now()` of its queries can be moved on by days."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

_STATEMENTS = (
    "CREATE SCHEMA moved",
    "CREATE TABLE moved.clock (later interval NOT NULL)",
    "INSERT INTO moved.clock VALUES ('0')",
    "CREATE FUNCTION moved.now() RETURNS timestamptz STABLE LANGUAGE sql AS "
    "'SELECT pg_catalog.now() + later FROM moved.clock'",
    # In front of the system's schema, so that `now()` of a query is this one. Defaults of columns keep the system's.
    "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = moved, pg_catalog, public', current_database()); "
    "END $$",
)


class DatabaseClock:
    """Moves `now()` of a database. Connections that were open before keep the real time."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def install(self) -> None:
        """Replace `now()` for new connections."""
        async with self._engine.begin() as connection:
            for statement in _STATEMENTS:
                await connection.execute(text(statement))
        await self._engine.dispose()

    async def move(self, **fields: float) -> None:
        """Move the clock on by a `timedelta` of these fields."""
        async with self._engine.begin() as connection:
            await connection.execute(
                text("UPDATE moved.clock SET later = later + :step"), {"step": timedelta(**fields)}
            )
