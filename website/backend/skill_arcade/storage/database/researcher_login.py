"""Sets the role `researcher` on the connections of a researcher, so that they read the role's views of the tables."""

from typing import Any

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.researcher_role import ROLE

# A user who may read the table itself, such as its owner, reads that.
_IS_RESEARCHER = text(
    "SELECT pg_has_role(oid, 'MEMBER') AND NOT has_table_privilege(to_regclass('public.episode'), 'SELECT') "
    "FROM pg_roles WHERE rolname = :role"
)


async def set_researcher_role(engine: AsyncEngine) -> None:
    """Set the role on all connections of an engine, if its database user is a researcher.

    Raises:
        NotReady: the database does not respond.
    """
    async with transaction(engine) as connection:
        if not await connection.scalar(_IS_RESEARCHER, {"role": ROLE}):
            return
    event.listen(engine.sync_engine, "connect", _set_role)
    await engine.dispose()  # connections that were opened before


def _set_role(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SET ROLE {ROLE}")
    # Of conditions in views Postgres expects few rows, and would nest loops over all of them.
    cursor.execute("SET enable_nestloop = off")
    cursor.close()
    connection.commit()
