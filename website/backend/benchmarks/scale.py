"""Bytes per transition in Postgres, and the time of the twelve questions. See website/docs/scale.md.

    uv run python benchmarks/scale.py --rows 20000000 --home FOLDER

The first run fills an embedded Postgres in FOLDER with synthetic play (4,000 steps per episode). Later runs reuse it.
"""

import argparse
import asyncio
import re
import sys
import time
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import open_engine

STEPS = 4_000
PLAYERS = 200
QUESTIONS = Path(__file__).parents[2] / "docs" / "questions.md"

PEOPLE = f"""
INSERT INTO "user" (id, email) SELECT 'player-' || n, n || '@example.org' FROM generate_series(1, {PLAYERS}) n
"""
GAMES = """
INSERT INTO game (id, config) VALUES ('breakout', '{"name": "Breakout"}'), ('pong', '{"name": "Pong"}'),
    ('seaquest', '{"name": "Seaquest"}'), ('ms-pacman', '{"name": "Ms. Pac-Man"}')
"""
EPISODES = f"""
INSERT INTO episode (id, user_id, game_id, seed, n_steps, status, score, end_reason, environment, provenance,
    reset_info,    time_created, time_ended)
SELECT (lpad(to_hex(n + 26000000), 12, '0') || '700080000000' || '00000000')::uuid,
    'player-' || (1 + n % {PLAYERS}), game, n + 1, {STEPS}, 'lost', random() * 500, 'terminated',
    jsonb_build_object('id', 'ALE/' || environment || '-v5', 'kwargs', '{{"frameskip": 1}}'::jsonb),
    '{{"player": {{"browser": "Firefox 140", "refresh_hz": 60}}}}', '{{"lives": 5}}',
    timestamptz '2026-01-01' + n * interval '5 minutes',
    timestamptz '2026-01-01' + n * interval '5 minutes' + interval '67 seconds'
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n,
    LATERAL (SELECT (ARRAY['breakout', 'pong', 'seaquest', 'ms-pacman'])[1 + n / {PLAYERS} % 4] AS game,
             (ARRAY['Breakout', 'Pong', 'Seaquest', 'MsPacman'])[1 + n / {PLAYERS} % 4] AS environment) AS choice
"""
# A new input every 30 steps, in effect two steps after the picture that it answers. One reward in 50 steps.
# One picture in 500 is not painted.
TRANSITIONS = f"""
INSERT INTO transition (id, episode_id, step, action, reward, time_created, server_us, shown_us, input_us,
    input_received_us, late_us, input_frame, terminated, truncated, obs_key, next_obs_key, info)
SELECT (left(e.id::text, 28) || lpad(to_hex(s + 1), 8, '0'))::uuid, e.id, s, (hashint4(s / 30 + e.seed::int) & 7) % 4,
    CASE WHEN hashint4(s + e.seed::int) % 50 = 0 THEN 1 ELSE 0 END,
    e.time_created + s * interval '16667 microseconds', s * 16667::bigint,
    CASE WHEN hashint4(s * 7 + e.seed::int) % 500 <> 0 THEN 5000000 + s * 16667::bigint + hashint4(s) % 500 END,
    CASE WHEN s >= 30 THEN 5000000 + (s / 30 * 30 - 2) * 16667::bigint + 9000 END,
    CASE WHEN s >= 30 THEN (s / 30 * 30 - 1) * 16667::bigint END, 40 + hashint4(s) % 40,
    CASE WHEN s >= 30 THEN s / 30 * 30 - 2 END,
    s = {STEPS - 1}, false, s / 300 || '/' || s % 300, (s + 1) / 300 || '/' || (s + 1) % 300,
    CASE WHEN s % 800 = 0 THEN '{{"lives": 4}}'::jsonb END
FROM episode e, generate_series(0, {STEPS - 1}) s
WHERE e.seed BETWEEN CAST(:first AS int) + 1 AND CAST(:last AS int) + 1
ORDER BY e.id, s
"""
EVENTS = f"""
INSERT INTO event (episode_id, number, kind, server_us, client_us, step, data)
SELECT e.id, s / 30, 'input', (s - 1) * 16667::bigint, 5000000 + (s - 2) * 16667::bigint + 9000, s,
    jsonb_build_object('frame', s - 2, 'control', 'left', 'down', s / 30 % 2 = 1, 'device', 'keyboard', 'code', 'KeyA')
FROM episode e, generate_series(30, {STEPS - 1}, 30) s
WHERE e.seed BETWEEN CAST(:first AS int) + 1 AND CAST(:last AS int) + 1
ORDER BY e.id, s
"""
CERTIFICATES = """
INSERT INTO certificate (episode_id, time_created, result, reason, n_steps, seconds)
SELECT id, time_ended + interval '1 minute', 'certified', '', n_steps, 1 FROM episode
"""


def print_line(line: str) -> None:
    """Print a line without buffering."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def fill(engine: AsyncEngine, rows: int) -> None:
    """Write `rows` transitions."""
    n_episodes = rows // STEPS
    async with engine.begin() as connection:
        await connection.execute(text(PEOPLE))
        await connection.execute(text(GAMES))
    started = time.monotonic()
    for first in range(0, n_episodes, 100):
        span = {"first": first, "last": min(first + 100, n_episodes) - 1}
        async with engine.begin() as connection:
            for statement in (EPISODES, TRANSITIONS, EVENTS):
                await connection.execute(text(statement), span)
        if first % 1_000 == 0:
            print_line(f"{(first + 100) * STEPS:>12,} rows after {time.monotonic() - started:.0f} s")
    async with engine.begin() as connection:
        await connection.execute(text(CERTIFICATES))
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("VACUUM (ANALYZE, PARALLEL 0)"))


async def measure(engine: AsyncEngine, timeout_seconds: int) -> None:
    """Print sizes, and the time of each question."""
    async with engine.connect() as connection:
        count = (await connection.execute(text("SELECT count(*) FROM transition"))).scalar_one()
        for part, function in (
            ("rows", "pg_table_size"),
            ("index", "pg_indexes_size"),
            ("all", "pg_total_relation_size"),
        ):
            size = (await connection.execute(text(f"SELECT {function}('transition')"))).scalar_one()
            print_line(f"transition, {part}: {size / count:.0f} bytes a row, {size / 1e9:.2f} GB of {count:,} rows")
    for number, query in re.findall(
        r"^## (\d+)\..*?^```sql\n(.*?)^```", QUESTIONS.read_text(), re.MULTILINE | re.DOTALL
    ):
        started = time.monotonic()
        try:
            async with engine.connect() as connection:
                await connection.execute(text(f"SET statement_timeout = '{timeout_seconds}s'"))
                rows_found = (await connection.execute(text(query.replace(":", r"\:")))).all()
            result = f"{len(rows_found)} rows"
        except DBAPIError as error:
            if "statement timeout" not in str(error):
                raise
            result = "timeout"
        print_line(f"question {number:>2}: {time.monotonic() - started:8.2f} s, {result}")


async def run(options: argparse.Namespace) -> None:
    """Fill the database if it is empty, then measure."""
    async with open_engine(Settings(skill_arcade_home=options.home)) as engine:
        async with engine.connect() as connection:
            empty = (await connection.execute(text("SELECT count(*) FROM episode"))).scalar_one() == 0
        if empty:
            await fill(engine, options.rows)
        await measure(engine, options.patience)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--patience", type=int, default=300, help="timeout of a question in seconds")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
