"""Archiving synthetic play: bytes in Postgres and in Parquet, seconds, and the twelve questions before and after.

The play is that of benchmarks/scale.py, which is more regular than that of people, so that it takes fewer bytes in
Parquet. The questions run in Postgres before, and in DuckDB on what is archived and what is not afterwards.
"""

import asyncio
import re
import tempfile
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine

import skill_arcade.dataset as sa
from benchmarks.report import Report, load_average
from benchmarks.scale import QUESTIONS, fill
from skill_arcade.export.duckdb_views import open_duckdb
from skill_arcade.storage.archive.archiver import Archiver
from skill_arcade.storage.database.embedded import EmbeddedPostgres
from skill_arcade.storage.database.engine import migrate_sync, transaction
from skill_arcade.storage.objects.disk import DiskObjects
from tests.support.consent import include_rows_without_consent
from tests.support.database import opened_engine, temporary_home

COLUMNS = ("measure", "unit", "before", "after", "load")
ANY_AGE = timedelta(days=-36_500)
N_READS = 20
"""Episodes that are read before and after."""


def run(transitions: int = 20_000_000) -> Report:
    """Fill a Postgres of its own, measure, archive everything, and measure again."""
    report = Report("archive", COLUMNS)
    with temporary_home() as home, tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(home)
        try:
            url = server.server.url()
            migrate_sync(url)
            include_rows_without_consent(url)
            _measure(report, url, Path(folder), transitions)
        finally:
            server.close()
    return report


def _measure(report: Report, url: URL, folder: Path, transitions: int) -> None:
    page = re.findall(r"^## (\d+)\..*?^```sql\n(.*?)^```", QUESTIONS.read_text(), re.MULTILINE | re.DOTALL)
    before = asyncio.run(_fill(url, transitions, page))
    with sa.open(url.render_as_string(hide_password=False), folder / "objects") as dataset:
        reads_before = _read_episodes(dataset)
    after = asyncio.run(_archive(url, folder / "objects"))
    with sa.open(url.render_as_string(hide_password=False), folder / "objects") as dataset:
        reads_after = _read_episodes(dataset)
        started = time.monotonic()
        with open_duckdb(dataset, folder / "copies") as connection:
            opened = time.monotonic() - started
            answers = {number: _ask(connection, query) for number, query in page}
    n_steps = after["n_steps"]
    report.add("rows, with the index", "MB", before["bytes"] / 1e6, after["bytes"] / 1e6, load_average())
    report.add("objects", "MB", 0, after["object_bytes"] / 1e6, load_average())
    report.add("both", "bytes a transition", before["bytes"] / n_steps, after["object_bytes"] / n_steps, load_average())
    report.add("archive", "seconds", "", after["seconds"], after["load"])
    report.add("read an episode, median", "ms", 1000 * reads_before, 1000 * reads_after, load_average())
    report.add("open DuckDB: copies", "seconds", "", opened, load_average())
    for number, _ in page:
        seconds, rows = before["answers"][number]
        seconds_after, rows_after = answers[number]
        report.add(f"question {number}", "seconds", seconds, seconds_after, load_average())
        if _comparable(rows) != _comparable(rows_after):
            report.facts[f"question {number}"] = "the answers differ"
    report.facts |= {
        "transitions": n_steps,
        "episodes": after["n_episodes"],
        "objects": after["n_objects"],
        "transitions archived a second": n_steps / after["seconds"],
        "rows and index before the space is returned, MB": after["bytes_before_vacuum"] / 1e6,
        "tables that stay, MB": after["other_bytes"] / 1e6,
        "largest table that stays": after["largest"],
        "bytes in Postgres to bytes in objects": before["bytes"] / after["object_bytes"],
        "questions with equal answers": sum(f"question {number}" not in report.facts for number, _ in page),
    }


async def _fill(url: URL, transitions: int, page: list[tuple[str, str]]) -> dict[str, Any]:
    async with opened_engine(url) as engine:
        await fill(engine, transitions)
        answers = {}
        for number, query in page:
            started = time.monotonic()
            async with transaction(engine) as connection:
                rows = [tuple(row) for row in await connection.execute(text(query.replace(":", r"\:")))]
            answers[number] = (time.monotonic() - started, rows)
        return {"bytes": await _read_size(engine), "answers": answers}


async def _archive(url: URL, folder: Path) -> dict[str, Any]:
    objects, load = DiskObjects(folder), load_average()
    async with opened_engine(url) as engine:
        started = time.monotonic()
        done = await Archiver(engine, objects).run(ANY_AGE)
        seconds = time.monotonic() - started
        before_vacuum = await _read_size(engine)
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("VACUUM FULL transition"))
        others = text(
            "SELECT relname, pg_total_relation_size(oid) AS size FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace = 'public'::regnamespace AND relname <> 'transition' ORDER BY size DESC"
        )
        async with transaction(engine) as connection:
            sizes = [(str(row.relname), int(row.size)) for row in await connection.execute(others)]
        return {
            "seconds": seconds,
            "load": load,
            "n_steps": done.n_steps,
            "n_episodes": done.n_episodes,
            "n_objects": done.n_objects,
            "object_bytes": done.n_bytes,
            "bytes_before_vacuum": before_vacuum,
            "bytes": await _read_size(engine),
            "other_bytes": sum(size for _, size in sizes),
            "largest": f"{sizes[0][0]}, {sizes[0][1] / 1e6:.0f} MB",
        }


async def _read_size(engine: AsyncEngine) -> int:
    async with transaction(engine) as connection:
        return int(await connection.scalar(text("SELECT pg_total_relation_size('transition')")) or 0)


def _read_episodes(dataset: sa.Dataset) -> float:
    """Return the median time to read all rows of an episode, seconds."""
    times = []
    for number, episode in enumerate(dataset.episodes()):
        if number == N_READS:
            break
        started = time.monotonic()
        dataset.source.read_rows(episode.id)
        times.append(time.monotonic() - started)
    return sorted(times)[len(times) // 2]


def _ask(connection: Any, query: str) -> tuple[float, list[tuple[Any, ...]]]:
    started = time.monotonic()
    rows = connection.execute(query).fetchall()
    return time.monotonic() - started, rows


def _comparable(rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    """Return rows with types and rounding that are the same for both databases."""
    return [
        [f"{float(value):.6g}" if isinstance(value, int | float | Decimal) else str(value) for value in row]
        for row in rows
    ]
