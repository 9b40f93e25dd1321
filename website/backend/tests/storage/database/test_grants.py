"""Tests of the rights of database users that do not own the tables, and of the schema check."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from sqlalchemy import URL, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import NotFound, NotReady
from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import check_schema, open_engine, transaction
from skill_arcade.storage.database.grants import grant_rights
from tests.conftest import execute, opened_engine

pytestmark = pytest.mark.anyio


@pytest.fixture
async def users(database_url: URL) -> AsyncIterator[tuple[str, str]]:
    """Create two users with the names of a service account and of a group; drop them after the test."""
    names = f"run-{uuid4().hex[:8]}@project.iam", f"readers-{uuid4().hex[:8]}@example.org"
    async with opened_engine(database_url) as engine, engine.begin() as connection:
        for name in names:
            await connection.execute(text(f'CREATE ROLE "{name}" NOLOGIN'))
    yield names
    async with opened_engine(database_url) as engine, engine.begin() as connection:
        for name in names:
            await connection.execute(text(f'DROP OWNED BY "{name}"'))
            await connection.execute(text(f'DROP ROLE "{name}"'))


async def run_as(engine: AsyncEngine, user: str, statement: str) -> None:
    """Run one statement with the rights of this user and roll it back."""
    async with engine.connect() as connection:
        await connection.execute(text(f'SET LOCAL ROLE "{user}"'))
        await connection.execute(text(statement))


async def grant(url: URL, app: str | None, reader: str | None) -> None:
    settings = Settings(database_url=url.set(drivername="postgresql").render_as_string(hide_password=False))
    await grant_rights(settings, app=app, reader=reader)


async def test_app_rights_allow_writing_rows_but_not_changing_tables(database_url: URL, users: tuple[str, str]) -> None:
    app, reader = users
    for _ in range(2):
        await grant(database_url, app, reader)
    async with opened_engine(database_url) as engine:
        await run_as(engine, app, "DELETE FROM transition")
        await run_as(engine, app, 'SELECT email FROM "user"')
        for refused in ("DROP TABLE transition", "CREATE TABLE mine (id int)", "DELETE FROM alembic_version"):
            with pytest.raises(ProgrammingError, match=r"must be owner|permission denied"):
                await run_as(engine, app, refused)


async def test_reader_rights_exclude_tables_and_emails(database_url: URL, users: tuple[str, str]) -> None:
    app, reader = users
    await grant(database_url, app, reader)
    async with opened_engine(database_url) as engine:
        await run_as(engine, reader, "SELECT reward FROM researcher.transition")
        for refused in ('SELECT email FROM "user"', "DELETE FROM episode", "SELECT reward FROM public.transition"):
            with pytest.raises(ProgrammingError, match="permission denied"):
                await run_as(engine, reader, refused)


async def test_reader_grant_limits_queries_of_others_but_not_of_this_program(
    database_url: URL, users: tuple[str, str]
) -> None:
    await grant(database_url, None, users[1])
    async with opened_engine(database_url) as engine, engine.connect() as connection:
        limits = await connection.execute(
            text(
                "SELECT unnest(setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase "
                "WHERE d.datname = current_database()"
            )
        )
        assert set(limits.scalars()) == {"statement_timeout=15min", "idle_in_transaction_session_timeout=60s"}
    settings = Settings(database_url=database_url.set(drivername="postgresql").render_as_string(hide_password=False))
    async with open_engine(settings) as engine, transaction(engine) as connection:
        assert await connection.scalar(text("SHOW statement_timeout")) == "0"


async def test_grant_to_unknown_user_is_not_found(database_url: URL) -> None:
    with pytest.raises(NotFound, match=r"no user 'nobody@project\.iam': create it first"):
        await grant(database_url, "nobody@project.iam", None)


async def test_schema_check_accepts_newer_schema(database_url: URL) -> None:
    await execute(database_url, "UPDATE alembic_version SET version_num = '9999_of_a_later_version'")
    async with opened_engine(database_url) as engine, transaction(engine) as connection:
        await check_schema(connection)


async def test_schema_check_rejects_older_schema(database_url: URL) -> None:
    await execute(database_url, "UPDATE alembic_version SET version_num = '0001'")
    async with opened_engine(database_url) as engine, transaction(engine) as connection:
        with pytest.raises(NotReady, match="0001, this version needs"):
            await check_schema(connection)
