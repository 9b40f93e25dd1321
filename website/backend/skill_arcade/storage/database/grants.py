"""Grants rights to database users that do not own the tables: the server in the cloud, and researchers."""

import logging

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.errors import NotFound
from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import open_engine, transaction
from skill_arcade.storage.database.researcher_role import ROLE

log = logging.getLogger(__name__)

# The server writes and deletes rows. Only migrations change tables.
APP_RIGHTS = (
    "GRANT USAGE ON SCHEMA public TO {user}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {user}",
    "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {user}",
)
READER_LIMITS = {"statement_timeout": "15min", "idle_in_transaction_session_timeout": "60s"}
"""A researcher's query holds locks and old rows for at most this long."""
READER_RIGHTS = ("GRANT USAGE ON SCHEMA public TO {user}", "GRANT " + ROLE + " TO {user}")


async def grant_rights(settings: Settings, *, app: str | None, reader: str | None) -> None:
    """Grant `app` the rights of a server on the current tables, and `reader` the role of a researcher. Idempotent.

    Raises:
        NotFound: the database has no such user.
    """
    if app is None and reader is None:
        return
    async with open_engine(settings) as engine:
        async with transaction(engine) as connection:
            await _grant_all(connection, app, reader)
        if reader is not None:
            await _limit_queries(engine)
            await _set_role(engine, reader)


async def _grant_all(connection: AsyncConnection, app: str | None, reader: str | None) -> None:
    for user, rights in ((app, APP_RIGHTS), (reader, READER_RIGHTS)):
        if user is not None:
            await _grant(connection, user, rights)


async def _limit_queries(engine: AsyncEngine) -> None:
    """Limit the queries of the database, if this user owns it. The connections of this program lift the limits again.

    Members of a Cloud SQL group sign in as themselves, so a setting of the group would not reach them.
    """
    try:
        async with transaction(engine) as connection:
            name = await connection.scalar(text("SELECT quote_ident(current_database())"))
            for setting, value in READER_LIMITS.items():
                await connection.execute(text(f"ALTER DATABASE {name} SET {setting} = '{value}'"))
    except ProgrammingError as error:
        log.warning("cannot limit the queries of researchers: this database user does not own the database: %s", error)


async def _set_role(engine: AsyncEngine, user: str) -> None:
    """Let each session of a user begin with the role, which reads its own views of the tables.

    Members of a Cloud SQL group set it themselves, as `dataset` does.
    """
    try:
        async with transaction(engine) as connection:
            await connection.execute(text(f"ALTER ROLE {_quote(connection, user)} SET role = {ROLE}"))
    except ProgrammingError as error:
        log.warning("cannot set the role of %r at its sign-in, so it must `SET ROLE %s`: %s", user, ROLE, error)


def _quote(connection: AsyncConnection, user: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(user).replace(":", "\\:")


async def _grant(connection: AsyncConnection, user: str, rights: tuple[str, ...]) -> None:
    role = await connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :user"), {"user": user})
    if role.first() is None:
        raise NotFound(f"The database has no user {user!r}: create it first, then run this again.")
    for right in rights:
        await connection.execute(text(right.format(user=_quote(connection, user))))
