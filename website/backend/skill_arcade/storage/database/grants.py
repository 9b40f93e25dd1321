"""Grants rights to database users that do not own the tables: the server in the cloud, and researchers."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import NotFound
from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import open_engine, transaction
from skill_arcade.storage.database.researcher_role import ROLE

# The server writes and deletes rows. Only migrations change tables.
APP_RIGHTS = (
    "GRANT USAGE ON SCHEMA public TO {user}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {user}",
    "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {user}",
)
READER_RIGHTS = ("GRANT USAGE ON SCHEMA public TO {user}", "GRANT " + ROLE + " TO {user}")


async def grant_rights(settings: Settings, *, app: str | None, reader: str | None) -> None:
    """Grant `app` the rights of a server on the current tables, and `reader` the role of a researcher. Idempotent.

    Raises:
        NotFound: the database has no such user.
    """
    if app is None and reader is None:
        return
    async with open_engine(settings) as engine, transaction(engine) as connection:
        for user, rights in ((app, APP_RIGHTS), (reader, READER_RIGHTS)):
            if user is not None:
                await _grant(connection, user, rights)


async def _grant(connection: AsyncConnection, user: str, rights: tuple[str, ...]) -> None:
    role = await connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :user"), {"user": user})
    if role.first() is None:
        raise NotFound(f"The database has no user {user!r}: create it first, then run this again.")
    quoted = connection.dialect.identifier_preparer.quote_identifier(user)
    for right in rights:
        await connection.execute(text(right.format(user=quoted.replace(":", "\\:"))))
