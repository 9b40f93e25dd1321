"""Time of the twelve questions in DuckDB on Parquet tables. See website/docs/scale.md.

    uv run python benchmarks/analytics.py --rows 20000000 --home FOLDER

The first run writes synthetic tables to FOLDER, as `skill-arcade export --format tables` does. They contain the same
play as those of benchmarks/scale.py: episodes of 4,000 steps, 200 players, four games. Later runs reuse them.
"""

import argparse
import os
import re
import sys
import time
from pathlib import Path

import duckdb

from skill_arcade.export.formats import FormatName, find_format
from skill_arcade.storage.database.bulk_copy import COPY_SCHEMAS

STEPS = 4_000
PLAYERS = 200
# Two million transitions, as in an exported file.
EPISODES_PER_FILE = 500
QUESTIONS = Path(__file__).parents[2] / "docs" / "questions.md"
SQL_TYPES = {"string": "VARCHAR", "int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN", "timestamp": "TIMESTAMPTZ"}

EPISODES = f"""
SELECT lpad(to_hex(hash(n)), 16, '0') AS episode_id,
    lpad(to_hex(hash(n % {PLAYERS} + 1000000)), 16, '0') AS player_id,
    ['breakout', 'pong', 'seaquest', 'ms-pacman'][1 + (n // {PLAYERS}) % 4] AS game_id,
    'ALE/' || ['Breakout', 'Pong', 'Seaquest', 'MsPacman'][1 + (n // {PLAYERS}) % 4] || '-v5' AS environment_id,
    n + 1 AS seed, (hash(n + 7) % 50000) / 100.0 AS "return", {STEPS} AS steps, 'lost' AS status,
    'terminated' AS end_reason, TIMESTAMPTZ '2026-01-01 00:00:00+00' + n * INTERVAL 5 MINUTES AS time_created,
    TIMESTAMPTZ '2026-01-01 00:01:07+00' + n * INTERVAL 5 MINUTES AS time_ended, 67.0 AS duration_seconds,
    true AS certified, 40.0 AS latency_p50_ms, 60.0 AS latency_p95_ms, 8 AS dropped_frames, 'keyboard' AS device,
    60.0 AS refresh_hz, n
FROM range(?, ?) AS numbered(n)
"""
TRANSITIONS = f"""
SELECT episode_id, s AS step, hash(s // 30 + seed) % 8 % 4 AS action,
    CASE WHEN hash(s * 31 + seed) % 50 = 0 THEN 1 ELSE 0 END AS reward, s = {STEPS - 1} AS terminated,
    false AS truncated, time_created + s * INTERVAL 16667 MICROSECONDS AS time_created, s * 16667 AS server_us,
    40 + hash(s + seed) % 40 AS late_us,
    CASE WHEN hash(s * 7 + seed) % 500 <> 0 THEN 5000000 + s * 16667 + hash(s) % 500 END AS shown_us,
    CASE WHEN s >= 30 THEN 5000000 + (s // 30 * 30 - 2) * 16667 + 9000 END AS input_us,
    CASE WHEN s >= 30 THEN (s // 30 * 30 - 1) * 16667 END AS input_received_us,
    CASE WHEN s >= 30 THEN s // 30 * 30 - 2 END AS input_frame,
    CASE WHEN s % 800 = 0 THEN '{{"lives": 4}}' END AS info
FROM made, range({STEPS}) AS steps(s)
ORDER BY n, s
"""
EVENTS = f"""
SELECT episode_id, s // 30 AS number, 'input' AS kind, (s - 1) * 16667 AS server_us,
    5000000 + (s - 2) * 16667 + 9000 AS client_us, s AS step,
    '{{"frame": ' || (s - 2) || ', "control": "left", "down": '
    || CASE WHEN s // 30 % 2 = 1 THEN 'true' ELSE 'false' END || ', "device": "keyboard", "code": "KeyA"}}' AS data
FROM made, range(30, {STEPS}, 30) AS steps(s)
ORDER BY n, s
"""
LATENCIES = f"""
SELECT episode_id, s AS step, 5000000 + (s - 2) * 16667 + 9000 AS input_us, 40.0 + hash(s + seed) % 20 AS latency_ms
FROM made, range(30, {STEPS}, 30) AS steps(s)
ORDER BY n, s
"""
REACTIONS = f"""
SELECT episode_id, player_id, game_id, s // 30 AS number, 'left' AS control, 'keyboard' AS device, s - 2 AS frame,
    5000000 + (s - 2) * 16667 AS shown_us, 5000000 + (s - 2) * 16667 + 9000 AS input_us, 9.0 AS reaction_ms,
    'reward' AS stimulus, s - 20 AS stimulus_frame, 309.0 + hash(s + seed) % 50 AS stimulus_ms
FROM made, range(30, {STEPS}, 60) AS steps(s)
ORDER BY n, s
"""
ACTIONS = """
SELECT episode_id, player_id, game_id, a AS action, 1000 AS steps, 0.25 AS share, 30 AS holds, 33.3 AS mean_hold_steps
FROM made, range(4) AS actions(a)
ORDER BY n, a
"""
SCORES = """
SELECT episode_id, player_id, game_id, environment_id, "return", "return" / 30 AS normalised, 1.7 AS random,
    30.5 AS human, source, 'made up' AS version, '' AS citation, '' AS protocol
FROM made, (VALUES ('dqn-zoo'), ('human-starts'), ('nature-2015'), ('world-record')) AS sources(source)
ORDER BY n, source
"""
TABLE_QUERIES = {
    "episode_summary": "SELECT * FROM made ORDER BY n",
    "transition": TRANSITIONS,
    "event": EVENTS,
    "input_latency": LATENCIES,
    "reaction_time": REACTIONS,
    "action_use": ACTIONS,
    "human_normalised_score": SCORES,
}


def print_line(line: str) -> None:
    """Print a line without buffering."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def fill(connection: duckdb.DuckDBPyConnection, rows: int, home: Path) -> None:
    """Write `rows` transitions and the tables that belong to them."""
    started = time.monotonic()
    for number, first in enumerate(range(0, rows // STEPS, EPISODES_PER_FILE)):
        last = min(first + EPISODES_PER_FILE, rows // STEPS)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE made AS {EPISODES}", [first, last])
        for name, query in TABLE_QUERIES.items():
            (home / name).mkdir(parents=True, exist_ok=True)
            columns = ", ".join(
                f'CAST("{one}" AS {SQL_TYPES[type_]}) AS "{one}"' for one, type_ in COPY_SCHEMAS[name].items()
            )
            target = f"'{home}/{name}/{number:05d}.parquet' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 6)"
            connection.execute(f"COPY (SELECT {columns} FROM ({query})) TO {target}")
        print_line(f"{last * STEPS:>12,} rows after {time.monotonic() - started:.0f} s")
    find_format(FormatName.tables).finish(None, [], home)  # type: ignore[arg-type]  # views need no plan


def measure(connection: duckdb.DuckDBPyConnection, home: Path) -> None:
    """Print sizes, and the time of each question for the first run and with cached files."""
    os.chdir(home)
    connection.execute((home / "views.sql").read_text())
    (count,) = connection.execute("SELECT count(*) FROM transition").fetchone() or (0,)
    for name in COPY_SCHEMAS:
        size = sum(file.stat().st_size for file in (home / name).glob("*.parquet"))
        print_line(f"{name:<24} {size / 1e6:>9.1f} MB {size / count:>7.2f} bytes a transition")
    page = QUESTIONS.read_text()
    for question, query in re.findall(r"^## (\d+)\..*?^```sql\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        times = []
        for _ in range(2):
            started = time.monotonic()
            answer = connection.execute(query).fetchall()
            times.append(time.monotonic() - started)
        print_line(f"question {question:>2}: {times[0]:7.2f} s, again {times[1]:7.2f} s, {len(answer)} rows")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--home", type=Path, required=True)
    options = parser.parse_args()
    home = options.home.absolute()
    connection = duckdb.connect(config={"threads": 2})
    if not home.exists():
        fill(connection, options.rows, home)
    measure(connection, home)


if __name__ == "__main__":
    main()
