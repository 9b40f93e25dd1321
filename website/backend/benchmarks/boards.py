"""Leaderboards with a million generated episodes in a Postgres of its own: reading a board, and judging an episode.

The generated play is skewed as real play is: a few games and players have most of it. All episodes rank, which is the
worst case. The queries are those of the server.
"""

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import URL, Row, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from benchmarks.report import Report, load_average
from skill_arcade.boards.judge import judge_queue
from skill_arcade.boards.seasons import name_season
from skill_arcade.storage.database.board_pages import is_on_board
from skill_arcade.storage.database.boards import add_player, enqueue_user
from skill_arcade.storage.database.embedded import EmbeddedPostgres
from skill_arcade.storage.database.engine import migrate_sync, transaction
from skill_arcade.storage.database.tables import Table
from skill_arcade.web.routes.boards import read_page
from skill_arcade.web.tokens import Identity
from tests.support.board_data import add_episode
from tests.support.consent import include_rows_without_consent
from tests.support.database import opened_engine, temporary_home

COLUMNS = ("measure", "median ms", "95 % ms", "largest ms", "n", "load")
PLAYERS, GAMES = 50_000, 213
# Player and game by powers of a uniform number: the first game has a tenth of all episodes, and the first player 0.5 %.
GENERATE = f"""
CREATE TEMP TABLE made AS
SELECT n, ('0' || lpad(to_hex(1700000000000 + n * 60), 11, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || '8'
        || lpad(to_hex(n), 15, '0'))::uuid AS id,
    'p' || floor({PLAYERS} * power(random(), 2))::int AS user_id,
    'g' || floor({GAMES} * power(random(), 2.3))::int AS game_id,
    floor(1000 * power(random(), 3))::float8 AS score,
    now() - interval '60 days' * power(random(), 2) AS time_ended
FROM generate_series(1, :episodes) AS numbered(n);
INSERT INTO "user" (id, email) SELECT 'p' || n, 'p' || n || '@example.org' FROM generate_series(0, {PLAYERS}) AS s(n);
INSERT INTO game (id, config) SELECT 'g' || n, jsonb_build_object('name', 'Game ' || n, 'pace',
    jsonb_build_object('kind', 'turn-based')) FROM generate_series(0, {GAMES}) AS s(n);
INSERT INTO episode (id, user_id, game_id, seed, n_steps, status, score, end_reason, time_created, time_ended)
    SELECT id, user_id, game_id, 1, 100, 'lost', score, 'terminated', time_ended - interval '1 minute', time_ended
    FROM made;
INSERT INTO board_player (user_id, name, skeleton, is_chosen, n_reports)
    SELECT id, 'Player ' || id, id, false, 0 FROM "user";
INSERT INTO board (id, game_id, settings, edition, newest_id)
    SELECT id || '?#e', id, '', 'e', '01900000-0000-7000-8000-000000000000' FROM game;
INSERT INTO board_entry (episode_id, user_id, board_id, score, time_ended)
    SELECT id, user_id, game_id || '?#e', score, time_ended FROM made;
INSERT INTO board_standing (board_id, season, user_id, episode_id, score, time_reached)
    SELECT DISTINCT ON (game_id, season, user_id) game_id || '?#e', season, user_id, id, score, time_ended
    FROM made, LATERAL (VALUES ('all'), (to_char(time_ended AT TIME ZONE 'UTC', 'YYYY-MM-DD')),
        (to_char(time_ended AT TIME ZONE 'UTC', 'IYYY"-W"IW'))) AS seasons(season)
    ORDER BY game_id, season, user_id, score DESC, time_ended, id;
INSERT INTO board_season (board_id, season) SELECT DISTINCT board_id, season FROM board_standing;
"""
Work = Callable[[AsyncConnection], Awaitable[object]]


def run(episodes: int = 1_000_000, repeats: int = 300) -> Report:
    """Generate this many episodes, and measure each query `repeats` times."""
    report = Report("boards", COLUMNS)
    with temporary_home() as folder:
        server = EmbeddedPostgres(folder)
        try:
            migrate_sync(server.server.url())
            include_rows_without_consent(server.server.url())
            asyncio.run(_measure(server.server.url(), report, episodes, repeats))
        finally:
            server.close()
    return report


async def _measure(url: URL, report: Report, episodes: int, repeats: int) -> None:
    draw = random.Random(1)
    async with opened_engine(url) as engine:
        started = time.perf_counter()
        async with engine.begin() as connection:
            for statement in GENERATE.split(";\n"):
                if statement.strip():
                    bound = {"episodes": episodes} if ":episodes" in statement else {}
                    await connection.execute(text(statement.replace("::", r"\:\:")), bound)
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("VACUUM ANALYZE"))
            counts = {
                name: (await connection.execute(text(f"SELECT count(*) FROM {name}"))).scalar_one()
                for name in ("episode", "board_entry", "board_standing")
            }
            largest = (
                "SELECT board_id, count(*) AS n FROM board_standing WHERE season = 'all' GROUP BY 1 ORDER BY 2 DESC"
            )
            board_id, n_players = (await connection.execute(text(f"{largest} LIMIT 1"))).one()
        report.facts |= {f"rows of {name}": count for name, count in counts.items()}
        report.facts |= {
            "players of the largest board": n_players,
            "seconds to generate": round(time.perf_counter() - started, 1),
        }
        now = datetime.now(UTC)
        largest_game = board_id.partition("?")[0]

        def read(game: str, season: str, user: str | None) -> Work:
            identity = Identity(user or f"p{draw.randrange(PLAYERS)}")
            return lambda connection: read_page(connection, game, "", season, identity)

        boards: dict[str, tuple[str | None, str]] = {
            "board of all time, any game": (None, "all"),
            "board of today, any game": (None, name_season("today", now)),
            "largest board, all time": (largest_game, "all"),
            "largest board, this week": (largest_game, name_season("week", now)),
        }
        for name, (game, season) in boards.items():
            works = [read(game or f"g{draw.randrange(GAMES)}", season, None) for _ in range(repeats)]
            await _add(report, name, engine, works)
        last = await _find_last_players(engine, board_id, repeats)
        works = [read(largest_game, "all", user) for user in last]
        await _add(report, "largest board, rank of the last players", engine, works)
        episode = Table.metadata.tables["episode"]
        async with engine.connect() as connection:
            rows = (await connection.execute(select(episode).limit(repeats))).all()
        await _add(report, "may anyone watch an episode", engine, [_watch(row) for row in rows])
        await _judge(report, engine, repeats)


def _watch(episode: Row[Any]) -> Work:
    return lambda connection: is_on_board(connection, episode, None)


async def _find_last_players(engine: AsyncEngine, board_id: str, count: int) -> list[str]:
    query = "SELECT user_id FROM board_standing WHERE board_id = :board AND season = 'all' ORDER BY score LIMIT :count"
    async with engine.connect() as connection:
        found = await connection.execute(text(query), {"board": board_id, "count": count})
        return list(found.scalars())


async def _judge(report: Report, engine: AsyncEngine, repeats: int) -> None:
    """Judge episodes of one player with steps and events, one by one, as the certifier does."""
    times: list[float] = []
    ids: list[UUID] = []
    async with transaction(engine) as connection:
        ids += [await add_episode(connection, "newcomer", float(n), game="pong", presses=50) for n in range(repeats)]
        await add_player(connection, "newcomer", "Newcomer", "newcomer", is_chosen=True)
        await enqueue_user(connection, "newcomer")
    for _ in ids:
        started = time.perf_counter()
        judged = await judge_queue(engine, 1)
        times.append(1000 * (time.perf_counter() - started))
        if judged != 1:
            raise RuntimeError("the queue is empty")
    _add_times(report, "judging an episode", times)


async def _add(report: Report, name: str, engine: AsyncEngine, works: list[Work]) -> None:
    """Run each work in a transaction of its own, as a request does, and add a row."""
    times: list[float] = []
    for work in works:
        started = time.perf_counter()
        async with transaction(engine) as connection:
            await work(connection)
        times.append(1000 * (time.perf_counter() - started))
    _add_times(report, name, times)


def _add_times(report: Report, name: str, times: list[float]) -> None:
    percentiles = statistics.quantiles(times, n=20)
    figures = (statistics.median(times), percentiles[18], max(times))
    report.add(name, *(round(figure, 1) for figure in figures), len(times), load_average())
