"""Fixtures for all tests: one embedded Postgres per test run, and a fresh database per test."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.storage.database.embedded import EmbeddedPostgres
from skill_arcade.storage.database.engine import create_engine, migrate_sync
from skill_arcade.storage.database.postgres_server import PostgresServer

pytest_plugins = ["devtools.pytest_skips"]
PREFIX = "skill-arcade-tests-"
# The test databases need no durability.
UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

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
        yield url
        server.close()


@pytest.fixture
def database_url(postgres: URL) -> Iterator[URL]:
    """URL of a fresh, migrated database, dropped after the test."""
    with fresh_database(postgres) as url:
        yield url


@contextmanager
def fresh_database(postgres: URL) -> Iterator[URL]:
    """Create a migrated database, and drop it at the end."""
    name = f"test_{uuid4().hex}"
    asyncio.run(execute(postgres, f"CREATE DATABASE {name} TEMPLATE template_arcade STRATEGY file_copy"))
    yield postgres.set(database=name)
    asyncio.run(execute(postgres, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of tests marked `anyio`."""
    return "asyncio"


@pytest.fixture
async def engine(database_url: URL, anyio_backend: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a fresh, migrated database, for tests marked `anyio`."""
    async with opened_engine(database_url) as test_engine:
        yield test_engine


def remove_abandoned() -> None:
    """Stop and remove the Postgres of test runs that were killed more than an hour ago."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if time.time() - folder.stat().st_mtime < 3600:
            continue
        remove_home(folder)


@contextmanager
def temporary_home() -> Iterator[Path]:
    """A home folder whose embedded Postgres is stopped and removed with it at the end.

    It is not pytest's `tmp_path`, because each run of pytest closes the folders of all runs to the account that runs
    Postgres.
    """
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        yield folder
    finally:
        remove_home(folder)


@pytest.fixture
def home() -> Iterator[Path]:
    """See `temporary_home`."""
    with temporary_home() as folder:
        yield folder


def remove_home(folder: Path) -> None:
    """Remove a folder and the Postgres in it or in its `postgres`, unless another process uses that."""
    clusters = [cluster for cluster in (folder, folder / "postgres") if (cluster / "data").exists()]
    for cluster in clusters:
        if PostgresServer(cluster).find_postmaster() is not None:
            EmbeddedPostgres(cluster).close()
    if all(PostgresServer(cluster).find_postmaster() is None for cluster in clusters):
        shutil.rmtree(folder)


async def execute(url: URL, statement: str) -> None:
    """Run a statement outside of a transaction."""
    async with opened_engine(url) as engine, engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(statement))


@asynccontextmanager
async def opened_engine(url: URL) -> AsyncIterator[AsyncEngine]:
    """An engine that is disposed at the end. Create and use it in the same event loop."""
    engine = create_engine(url)
    try:
        yield engine
    finally:
        await engine.dispose()
