"""Tests of the role of researchers, and of databases where the role cannot be created."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import URL, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.consent.documents import SCOPES
from skill_arcade.storage.database import researcher_role as researcher
from skill_arcade.storage.database.consents import add_decision
from skill_arcade.storage.database.engine import migrate_sync
from tests.conftest import execute, opened_engine
from tests.support.consent import write_consent
from tests.support.study_data import insert_plays

pytestmark = pytest.mark.anyio


READABLE = [*researcher.READABLE, *researcher.LIMITED_TABLES, *researcher.LIMITED_VIEWS]
FILLED_TABLES = ("episode", "transition", "event", "certificate")
FILLED_VIEWS = ("played_episode", "episode_summary", "action_use")  # of people, so programs are in none


@pytest.mark.parametrize("name", READABLE)
async def test_researcher_can_read_table_or_view(name: str, engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(f"SET ROLE {researcher.ROLE}"))
        await connection.execute(text(f"SELECT * FROM {name}"))


@pytest.mark.parametrize(
    "statement",
    [
        'SELECT email FROM "user"',
        "SELECT * FROM \"user\" WHERE email = 'ann@example.org'",
        *(f"SELECT * FROM public.{name}" for name in (*researcher.LIMITED_TABLES, *researcher.LIMITED_VIEWS)),
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


async def test_researcher_reads_what_consent_to_research_allows(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await add_decision(connection, (), "only consents on record", datetime(2100, 1, 1, tzinfo=UTC))
        await insert_plays(connection)
        assert await read_players(connection) == (set(), set())
        for player, scopes in (("ann", SCOPES), ("bob", ("publication", "boards"))):
            consent_id = await write_consent(connection, player, scopes)
            update = text("UPDATE episode SET consent_id = :consent WHERE user_id = :player")
            await connection.execute(update, {"consent": UUID(consent_id), "player": player})
        await connection.execute(text("UPDATE \"user\" SET is_synthetic = true WHERE id = 'cat'"))
        assert await read_players(connection) == ({"ann", "cat"}, {"ann"})
        withdraw = text("UPDATE consent SET withdrawn = jsonb_build_object('research', now()) WHERE user_id = 'ann'")
        await connection.execute(withdraw)
        assert await read_players(connection) == ({"cat"}, set())


async def read_players(connection: AsyncConnection) -> tuple[set[str], set[str]]:
    """Return the players of the episodes that the role reads in each of the filled tables, and in each view."""
    owner = await connection.execute(text("SELECT id, user_id FROM public.episode"))
    players = {row.id: row.user_id for row in owner}
    await connection.execute(text(f"SET LOCAL ROLE {researcher.ROLE}"))
    found = []
    for names in (FILLED_TABLES, FILLED_VIEWS):
        read = []
        for name in names:
            key = "id" if name in ("episode", "played_episode") else "episode_id"
            rows = await connection.execute(text(f"SELECT {key} FROM {name}"))
            read.append({players[id_] for id_ in rows.scalars()})
        assert all(one == read[0] for one in read)
        found.append(read[0])
    await connection.execute(text("RESET ROLE"))
    return found[0], found[1]


async def test_researcher_function_sees_no_row_without_consent(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await add_decision(connection, (), "only consents on record", datetime(2100, 1, 1, tzinfo=UTC))
        await insert_plays(connection)
        await connection.execute(text(f"SET LOCAL ROLE {researcher.ROLE}"))
        await connection.execute(
            text(
                "CREATE FUNCTION pg_temp.peek(id uuid) RETURNS boolean COST 0.0001 LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'seen'; END $$"
            )
        )
        for name, key in researcher.LIMITED_TABLES.items():
            await connection.execute(text(f"SELECT * FROM {name} WHERE pg_temp.peek({key})"))


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
