"""Tests of the role of researchers, and of databases where the role cannot be created."""

import asyncio
import logging
from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import URL, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.storage.database import researcher_role as researcher
from skill_arcade.storage.database.engine import migrate_sync
from tests.conftest import execute, opened_engine
from tests.support.study_data import insert_plays

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("name", researcher.READABLE)
async def test_researcher_can_read_table_or_view(name: str, engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(f"SET ROLE {researcher.ROLE}"))
        await connection.execute(text(f"SELECT * FROM {name}"))


@pytest.mark.parametrize(
    "statement",
    [
        'SELECT email FROM "user"',
        "SELECT * FROM \"user\" WHERE email = 'ann@example.org'",
        "UPDATE episode SET score = 1",
        "DELETE FROM transition",
        "CREATE TABLE mine (a int)",
        "INSERT INTO baseline_source VALUES ('a', 'b', 'c', 'd')",
    ],
)
async def test_researcher_cannot_read_emails_or_write(statement: str, engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await insert_plays(connection)
        await connection.execute(text(f"SET LOCAL ROLE {researcher.ROLE}"))
        with pytest.raises(ProgrammingError, match="permission denied"):
            await connection.execute(text(statement))


async def test_researcher_can_count_players(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await insert_plays(connection)
        await connection.execute(text(f"SET LOCAL ROLE {researcher.ROLE}"))
        assert (await connection.execute(text('SELECT count(id) FROM "user"'))).scalar() == 3


@pytest.fixture
def restricted_database(postgres: URL) -> Iterator[URL]:
    """Create an empty database whose owner may not create roles."""
    name = f"modest_{uuid4().hex}"
    asyncio.run(execute(postgres, f"CREATE ROLE {name} LOGIN"))
    asyncio.run(execute(postgres, f"CREATE DATABASE {name} OWNER {name}"))
    yield postgres.set(database=name, username=name)
    asyncio.run(execute(postgres, f"DROP DATABASE {name} WITH (FORCE)"))
    asyncio.run(execute(postgres, f"DROP ROLE {name}"))


def test_migration_without_right_to_create_roles_warns(
    restricted_database: URL, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = f"absent_{uuid4().hex}"
    monkeypatch.setattr(researcher, "ROLE", role)
    with caplog.at_level(logging.WARNING):
        migrate_sync(restricted_database)
    (message,) = [record.getMessage() for record in caplog.records if record.name == researcher.__name__]
    assert f"CREATE ROLE {role} NOLOGIN" in message
    asyncio.run(check_empty(restricted_database))


def test_role_created_later_is_granted_by_next_migration(
    restricted_database: URL, postgres: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = f"late_{uuid4().hex}"
    monkeypatch.setattr(researcher, "ROLE", role)
    migrate_sync(restricted_database)
    asyncio.run(execute(postgres, f"CREATE ROLE {role} NOLOGIN"))
    migrate_sync(restricted_database)
    try:
        asyncio.run(check_empty(restricted_database.set(username=postgres.username), role))
    finally:
        asyncio.run(execute(restricted_database.set(username=postgres.username), f"DROP OWNED BY {role}"))
        asyncio.run(execute(postgres, f"DROP ROLE {role}"))


async def check_empty(url: URL, role: str | None = None) -> None:
    async with opened_engine(url) as engine, engine.connect() as connection:
        if role is not None:
            await connection.execute(text(f"SET ROLE {role}"))
        assert (await connection.execute(text("SELECT count(*) FROM episode_summary"))).scalar() == 0
