"""Many scripted players on several servers with one database: where it breaks first.

The servers have addresses, and tickets place the players, so one server fills up after the other. All servers, the
database and the players share this machine. Commits and connections of the database are counted, because the servers of
a deployment share it too.
"""

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import uvloop
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine
from websockets.asyncio.client import connect

from benchmarks.players import GAMES, PlayerStats, play
from benchmarks.processes import CpuMeter
from benchmarks.report import Report, load_average, quantile
from skill_arcade.storage.database.embedded import EmbeddedPostgres
from skill_arcade.storage.database.engine import migrate_sync
from skill_arcade.storage.database.work import N_FAST_POLLS, POLL_SECONDS
from skill_arcade.web.placement import margin
from tests.support.arcade import Player, issue_placed_ticket, sign_in, ticket_subprotocols
from tests.support.database import execute, opened_engine, temporary_home
from tests.support.server import ServerUnderTest
from tests.support.server_pair import ADDRESSED, running_servers

COLUMNS = (
    "servers", "players", "on each server", "frames/s each (median)", "frames/s (least)", "interval p50 ms",
    "interval p99 ms", "CPU a player %", "server %", "games %", "uploader %", "certifier %", "postgres %",
    "generator %", "CPU of all, cores", "commits/s", "rows/s", "connections", "steps seen", "steps lost", "load",
)  # fmt: skip
SETTLE_SECONDS = 3.0
"""Time from the last player's first frame to the measurement."""
JOIN_SECONDS = 0.15
"""Time between players."""
IDLE_SECONDS = 30.0
"""Time for which the statements of servers without a player are counted."""
KINDS = ("server", "games", "uploader", "certifier", "postgres")


@dataclass(frozen=True, slots=True)
class DatabaseLoad:
    """Counters of Postgres since it was started, and the number of its connections."""

    commits: int
    rows: int
    connections: int


async def read_database_load(engine: AsyncEngine) -> DatabaseLoad:
    """Return the counters of the database of `engine`, without its own connection."""
    query = "SELECT xact_commit, tup_inserted, numbackends - 1 FROM pg_stat_database WHERE datname = current_database()"
    async with engine.connect() as connection:
        return DatabaseLoad(*map(int, (await connection.execute(text(query))).one()))


@asynccontextmanager
async def open_placed_player(server: ServerUnderTest, email: str, game: str) -> AsyncIterator[tuple[Player, int]]:
    """Ask a server for a ticket, and connect to the server that it names; yield the player and that one's port."""
    ticket, origin = await issue_placed_ticket(server.url, await sign_in(server.url, email), game)
    origin = origin or f"ws://127.0.0.1:{server.port}"
    address, protocols = f"{origin}/ws/{game}", ticket_subprotocols(ticket)
    async with connect(
        address, subprotocols=protocols, compression=None, open_timeout=60, close_timeout=1
    ) as connection:
        player = Player(connection)
        await player.hello()
        yield player, urlsplit(origin).port or 0


async def measure(
    report: Report, url: URL, home: Path, servers: Sequence[ServerUnderTest], n: int, seconds: float
) -> None:
    """Measure `n` players for `seconds`, and add a row. `home` is the folder of Postgres' own folder."""
    stats, measuring, ports = PlayerStats(), asyncio.Event(), dict.fromkeys((one.port for one in servers), 0)
    end = time.monotonic() + JOIN_SECONDS * n + SETTLE_SECONDS + seconds + 1

    async def visit(number: int) -> None:
        game = GAMES[number % len(GAMES)]
        async with open_placed_player(servers[0], f"s{n}-{number}@example.org", game) as (player, port):
            ports[port] += 1
            await play(player, random.Random(number), end, stats, measuring)

    async with opened_engine(url) as engine, asyncio.TaskGroup() as group:
        for number in range(n):
            group.create_task(visit(number))
            await asyncio.sleep(JOIN_SECONDS)
        await asyncio.sleep(SETTLE_SECONDS)
        homes = [home, *(server.home for server in servers[1:])]  # so that Postgres is counted once
        meters = [CpuMeter(server.running.pid, one) for server, one in zip(servers, homes, strict=True)]
        before, started, own = await read_database_load(engine), time.monotonic(), time.process_time()
        measuring.set()
        while time.monotonic() < started + seconds:
            await asyncio.sleep(0.5)
            for meter in meters:
                meter.read()
        measuring.clear()
        elapsed, own = time.monotonic() - started, time.process_time() - own
        after = await read_database_load(engine)
    for server in servers:
        await server.wait_until_uploaded()
    lost = sum(one.lost + one.duplicated for one in await servers[0].check(stats.steps))
    used = {kind: sum(meter.seconds.get(kind, 0.0) for meter in meters) for kind in KINDS}
    parts = [100 * used[kind] / (n * elapsed) for kind in KINDS]
    report.add(
        len(servers), n, "/".join(map(str, ports.values())), quantile(stats.rates, 0.5), quantile(stats.rates, 0.0),
        quantile(stats.intervals, 0.5), quantile(stats.intervals, 0.99), sum(parts), *parts, 100 * own / (n * elapsed),
        (sum(used.values()) + own) / elapsed, (after.commits - before.commits) / elapsed,
        (after.rows - before.rows) / elapsed, after.connections, sum(stats.steps.values()), lost, load_average(),
    )  # fmt: skip


async def count_idle_statements(url: URL, log: Path, n_servers: int) -> dict[str, float]:
    """Return how many statements servers without players send: heartbeats, and looking for work. Postgres logs them."""
    async with opened_engine(url) as engine, engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("ALTER SYSTEM SET log_statement = 'all'"))
        await connection.execute(text("SELECT pg_reload_conf()"))
        await asyncio.sleep(N_FAST_POLLS * POLL_SECONDS + 2)  # a server that has started looks for work more often
        start = log.stat().st_size
        await asyncio.sleep(IDLE_SECONDS)
        lines = log.read_bytes()[start:].splitlines()
        await connection.execute(text("ALTER SYSTEM RESET log_statement"))
        await connection.execute(text("SELECT pg_reload_conf()"))
    n = sum(b" LOG:  execute " in line or b" LOG:  statement: " in line for line in lines)
    return {f"statements/s of each of {n_servers} servers without players": n / IDLE_SECONDS / n_servers}


def run(n_servers: int = 3, sizes: tuple[int, ...] = (24, 48), seconds: float = 12.0) -> Report:
    """Measure each number of players on up to four servers, which take just as many."""
    report = Report("servers", COLUMNS)
    report.facts = {"games": ", ".join(GAMES), "measured s": seconds}
    with temporary_home() as home:
        postgres = EmbeddedPostgres(home / "postgres")
        try:
            for n in sizes:
                url = postgres.server.url().set(database=f"servers_{n}")
                asyncio.run(execute(postgres.server.url(), f"CREATE DATABASE servers_{n}"))
                migrate_sync(url)
                max_games = str(find_max_games(n_servers, n))
                with running_servers(
                    url, n_servers, **ADDRESSED, MAX_GAMES=max_games, SEGMENT_SECONDS="5", LOG_LEVEL="WARNING"
                ) as servers:
                    if n == sizes[0]:
                        report.facts |= asyncio.run(count_idle_statements(url, postgres.server.log, n_servers))
                    uvloop.run(measure(report, url, home, servers, n, seconds))
                print(dict(zip(COLUMNS, report.rows[-1], strict=True)), file=sys.stderr, flush=True)  # noqa: T201
        finally:
            postgres.close()
    return report


def find_max_games(n_servers: int, n_players: int) -> int:
    """Return the least MAX_GAMES with which these servers take this many players and keep their margins free."""
    return next(games for games in range(1, n_players + 2) if n_servers * (games - margin(games)) >= n_players)
