"""Time and size of every chart of the research page with generated play, in a Postgres of its own.

The generated players count as people who allow research, which is slower than programs: consent is checked for each
episode. Every chart is asked for over HTTP, for the game with the most episodes and for each way to split the players.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
from sqlalchemy import URL, text

from benchmarks.report import Report, load_average, quantile
from benchmarks.synthetic_play import fill
from skill_arcade.research.charts import CHARTS
from skill_arcade.storage.database.embedded import EmbeddedPostgres
from skill_arcade.storage.database.engine import migrate_sync, transaction
from skill_arcade.storage.database.postgres_server import PostgresServer
from skill_arcade.storage.database.researcher_role import ROLE
from tests.support.arcade import Arcade, running_arcade
from tests.support.consent import include_rows_without_consent
from tests.support.database import opened_engine, temporary_home

COLUMNS = (
    "chart",
    "selection",
    "least ms",
    "median ms",
    "CPU ms",
    "SQL ms",
    "SQL as researcher ms",
    "kB",
    "rows",
    "load",
)
SELECTIONS: dict[str, dict[str, str]] = {
    "all": {},
    "game": {"game": "breakout"},
    "game, split": {"game": "breakout", "split": "daytime"},
    "game, without flagged": {"game": "breakout", "flagged": "leave-out"},
    "normalised": {"metric": "normalised"},
}
RESEARCHER = "rosa@example.org"


def run(episodes: int = 100_000, repeats: int = 5) -> Report:
    """Generate this many episodes, and ask for each chart `repeats` times."""
    report = Report("dashboard", COLUMNS)
    with generated_arcade(episodes, report) as (arcade, cluster, url), httpx.Client(base_url=arcade.url) as http:
        measured = _measure(http, repeats, [arcade.process.pid, _find_postmaster(cluster)])
        for sql, row in measured:
            sql_ms = [asyncio.run(_time_sql(url, sql, repeats, role)) for role in (None, ROLE)]
            report.add(*row[:5], *(round(one, 1) for one in sql_ms), *row[5:])
    return report


@contextmanager
def generated_arcade(episodes: int, report: Report) -> Iterator[tuple[Arcade, Path, URL]]:
    """Run a server with this many generated episodes; yield it, the folder of its Postgres, and the address.

    The facts of the generated play are added to the report.
    """
    with temporary_home() as folder:
        cluster = folder / "postgres"
        server = EmbeddedPostgres(cluster)
        try:
            url = server.server.url()
            migrate_sync(url)
            include_rows_without_consent(url)
            report.facts |= asyncio.run(_fill(url, episodes))
            variables = {
                "DATABASE_URL": url.render_as_string(hide_password=False),
                "RESEARCHER_EMAILS": RESEARCHER,
                "CERTIFIER": "false",
            }
            with running_arcade(folder, None, **variables) as arcade:
                yield arcade, cluster, url
        finally:
            server.close()


async def _fill(url: URL, episodes: int) -> dict[str, Any]:
    started = time.perf_counter()
    async with opened_engine(url) as engine:
        async with transaction(engine) as connection:
            players = await fill(connection, episodes, is_synthetic=False)
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("VACUUM ANALYZE"))
    return {"episodes": episodes, "players": len(players), "seconds to generate": time.perf_counter() - started}


def _find_postmaster(cluster: Path) -> int:
    postmaster = PostgresServer(cluster).find_postmaster()
    assert postmaster is not None
    return postmaster.pid


def _cpu_seconds(pids: list[int]) -> float:
    """Return the CPU time of these processes and those that they have started: it depends little on the load."""
    processes = [psutil.Process(pid) for pid in pids]
    processes += [child for process in processes for child in process.children(recursive=True)]
    return sum(process.cpu_times().user + process.cpu_times().system for process in processes)


async def _time_sql(url: URL, sql: str, repeats: int, role: str | None) -> float:
    """Return the least time of a query in milliseconds. `role` is None for the owner of the tables."""
    times = []
    async with opened_engine(url) as engine, engine.connect() as connection:
        await connection.execute(text("SET enable_nestloop = off"))  # as the server and the docs do
        if role is not None:
            await connection.execute(text(f"SET ROLE {role}"))
        for _ in range(repeats):
            started = time.perf_counter()
            (await connection.exec_driver_sql(sql)).all()
            times.append(1000 * (time.perf_counter() - started))
    return min(times)


def _measure(http: httpx.Client, repeats: int, pids: list[int]) -> list[tuple[str, tuple[Any, ...]]]:
    """Ask for every chart over HTTP. Return the SQL of each, and its row without the times of the SQL."""
    measured: list[tuple[str, tuple[Any, ...]]] = []
    token = http.post("/auth/login", json={"email": RESEARCHER}).raise_for_status().json()["token"]
    headers = {"authorization": f"Bearer {token}"}
    for name, chart in CHARTS.items():
        for label, query in SELECTIONS.items():
            has_game, is_normalised = "game" in query, "metric" in query
            if (chart.needs != "nothing" and not has_game) and not (is_normalised and "normalised" in chart.needs):
                continue
            times, size, n_rows, cpu_before = [], 0, 0, _cpu_seconds(pids)
            for _ in range(repeats):
                started = time.perf_counter()
                answer = http.get(f"/research/charts/{name}", params=query, headers=headers, timeout=60)
                times.append(1000 * (time.perf_counter() - started))
                size, n_rows = len(answer.raise_for_status().content), len(answer.json()["rows"])
            cpu_ms = 1000 * (_cpu_seconds(pids) - cpu_before) / repeats
            figures = (round(one, 1) for one in (min(times), quantile(times, 0.5), cpu_ms, size / 1000))
            measured.append((answer.json()["sql"], (name, label, *figures, n_rows, load_average())))
    return measured
