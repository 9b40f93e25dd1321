"""Servers of benchmarks get a prepared database, whatever the benchmark runs in."""

import asyncio
from pathlib import Path

from tests.support import database
from tests.support.database import prepare_home, temporary_home


def test_home_is_prepared_inside_an_event_loop() -> None:
    async def prepare(home: Path) -> None:
        prepare_home(home, {})

    database._make_cluster.cache_clear()
    with temporary_home() as home:
        asyncio.run(prepare(home))
        assert (home / "postgres" / "data" / "PG_VERSION").exists()
