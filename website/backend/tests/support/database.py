"""Home folders, engines and databases for tests and benchmarks."""

import asyncio
import atexit
import functools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psutil
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import NotReady
from skill_arcade.storage.database.embedded import EmbeddedPostgres
from skill_arcade.storage.database.engine import create_engine, migrate_sync
from skill_arcade.storage.database.postgres_server import PostgresServer

PREFIX = "skill-arcade-tests-"
HOMES_FOLDER = "TEST_HOMES_FOLDER"
"""Environment variable: the folder of all home folders. By default it is the one for temporary files."""
MEMORY_FOLDER, MIN_MEMORY_BYTES = Path("/dev/shm"), 6 << 30
# The test databases need no durability.
UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def prepare_home(home: Path, settings: Mapping[str, str]) -> None:
    """Give a server that starts for the first time an embedded Postgres with empty tables.

    The server would otherwise initialise and migrate one itself, which takes about 2 s of CPU. A server with a
    `DATABASE_URL` needs none, and a home that has a folder `postgres` is left as it is.
    """
    if "DATABASE_URL" in {**os.environ, **settings} or (home / "postgres").exists():
        return
    (home / "postgres").mkdir(parents=True)
    # Python's copies do not keep the owner.
    subprocess.run(["cp", "-a", _make_cluster() / "data", home / "postgres"], check=True)


@functools.cache
def _make_cluster() -> Path:
    """Return the folder of a stopped Postgres with empty tables, which is removed when this process exits."""
    folder = make_home()
    atexit.register(remove_home, folder)
    server = EmbeddedPostgres(folder, UNSAFE)
    with ThreadPoolExecutor(1) as thread:  # a benchmark may have an event loop in this one
        thread.submit(migrate_sync, server.server.url()).result()
    server.close()
    return folder


@contextmanager
def fresh_database(postgres: URL) -> Iterator[URL]:
    """Create a migrated database, and drop it at the end."""
    name = f"test_{uuid4().hex}"
    asyncio.run(execute(postgres, f"CREATE DATABASE {name} TEMPLATE template_arcade STRATEGY file_copy"))
    yield postgres.set(database=name)
    asyncio.run(execute(postgres, f"DROP DATABASE {name} WITH (FORCE)"))


@asynccontextmanager
async def copied_database(original: URL) -> AsyncIterator[URL]:
    """Copy a database that nobody is connected to, and drop the copy at the end."""
    name, postgres = f"test_{uuid4().hex}", original.set(database="postgres")
    await execute(postgres, f"CREATE DATABASE {name} TEMPLATE {original.database} STRATEGY file_copy")
    yield original.set(database=name)
    await execute(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def use_memory_for_homes() -> None:
    """Put the homes of this process and of its children into memory, if there is enough for several test runs.

    Each fresh database has 700 files. On a disk, it can take ten times as long to create and delete them.
    """
    if not MEMORY_FOLDER.is_dir() or os.statvfs(MEMORY_FOLDER).f_flag & os.ST_NOEXEC:
        return
    if min(shutil.disk_usage(MEMORY_FOLDER).free, psutil.virtual_memory().available) >= MIN_MEMORY_BYTES:
        os.environ.setdefault(HOMES_FOLDER, str(MEMORY_FOLDER))


def make_home() -> Path:
    """Make a home folder, which `remove_home` removes."""
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir=os.environ.get(HOMES_FOLDER)))


def remove_abandoned() -> None:
    """Stop and remove the Postgres of test runs that were killed more than an hour ago."""
    for folder in Path(os.environ.get(HOMES_FOLDER, tempfile.gettempdir())).glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError):  # another test run has removed its own folder since
            if time.time() - folder.stat().st_mtime >= 3600:
                remove_home(folder)


@contextmanager
def temporary_home() -> Iterator[Path]:
    """A home folder whose embedded Postgres is stopped and removed with it at the end.

    It is not pytest's `tmp_path`, because each run of pytest closes the folders of all runs to the account that runs
    Postgres.
    """
    folder = make_home()
    try:
        yield folder
    finally:
        remove_home(folder)


def remove_home(folder: Path) -> None:
    """Remove a folder and the Postgres in it or in its `postgres`, unless another process uses that."""
    clusters = [cluster for cluster in (folder, folder / "postgres") if (cluster / "data").exists()]
    for cluster in clusters:
        if _is_used(cluster):
            EmbeddedPostgres(cluster).close()
    if not any(_is_used(cluster) for cluster in clusters):
        with suppress(FileNotFoundError):  # another test run took it for abandoned
            shutil.rmtree(folder)


def _is_used(cluster: Path) -> bool:
    """Return whether a Postgres runs there. A test that was killed may have left odd files."""
    try:
        return PostgresServer(cluster).find_postmaster() is not None
    except NotReady:
        return False


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
