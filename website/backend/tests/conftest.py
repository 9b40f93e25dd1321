"""Fixtures for all tests: one embedded Postgres per test run, and a fresh database per test."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.storage.database.embedded import EmbeddedPostgres
from skill_arcade.storage.database.engine import migrate_sync
from tests.support.consent import include_rows_without_consent
from tests.support.database import (
    PREFIX,
    UNSAFE,
    execute,
    fresh_database,
    opened_engine,
    remove_abandoned,
    remove_home,
    temporary_home,
    use_memory_for_homes,
)

__all__ = ["PREFIX", "UNSAFE", "execute", "fresh_database", "opened_engine", "remove_home", "temporary_home"]

pytest_plugins = ["pytest_skips"]
use_memory_for_homes()
# The same examples in every run, without deadlines, because the machine may be slow.
hypothesis.settings.register_profile(
    "steady",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("steady")


@pytest.fixture(scope="session")
def postgres() -> Iterator[URL]:
    """URL of a Postgres for this test run. Its database `template_arcade` has empty tables."""
    remove_abandoned()
    with temporary_home() as folder:
        server = EmbeddedPostgres(folder, UNSAFE)
        url = server.server.url()
        asyncio.run(execute(url, "CREATE DATABASE template_arcade"))
        migrate_sync(url.set(database="template_arcade"))
        include_rows_without_consent(url.set(database="template_arcade"))
        yield url
        server.close()


@pytest.fixture
def database_url(postgres: URL) -> Iterator[URL]:
    """URL of a fresh, migrated database, dropped after the test."""
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of tests marked `anyio`."""
    return "asyncio"


@pytest.fixture
async def engine(database_url: URL, anyio_backend: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a fresh, migrated database, for tests marked `anyio`."""
    async with opened_engine(database_url) as test_engine:
        yield test_engine


@pytest.fixture
def home() -> Iterator[Path]:
    """A home folder, removed after the test; see `temporary_home`."""
    with temporary_home() as folder:
        yield folder
