"""Measures of ended episodes: which are missing or out of date, and their computation.

The views compute latencies and reaction times from all steps, which takes milliseconds per episode. Charts of many
episodes read the table `episode_measure` instead.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.storage.archive.rows import show_archived
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.tables import Table
from skill_arcade.storage.objects import ObjectStore

_measure = Table.metadata.tables["episode_measure"]
BATCH_SIZE = 20
"""Episodes that are measured in one transaction."""

# An upload after the measurement, or another manifest, makes a measure out of date. No chart counts an episode that
# begins in the middle of another one, or in which an agent acted.
UNMEASURED = """
FROM episode e
JOIN game g ON g.id = e.game_id
LEFT JOIN episode_measure m ON m.episode_id = e.id
WHERE e.time_ended IS NOT NULL AND NOT e.provenance ?| ARRAY['branch', 'takeover']
    AND (m.episode_id IS NULL OR m.time_measured < e.time_updated OR m.time_measured < g.time_updated)
"""
# The views know people only, so the measures of programs have no latencies, actions and reaction times.
MEASURES = """
SELECT e.id AS episode_id, e.user_id, now.id AS game_id, coalesce(s.variant, now.id) AS variant,
    e.environment ->> 'id' AS environment_id, e.seed, e.score, e.n_steps AS steps, e.status::text AS status,
    e.end_reason, e.time_created AS time_started, e.time_ended,
    e.provenance #>> '{study,name}' AS study, e.provenance #>> '{study,arm}' AS arm,
    coalesce(s.mode, e.provenance ->> 'mode', 'streamed') AS mode, s.device, s.latency_p50_ms, s.latency_p95_ms,
    coalesce(s.dropped_frames, 0) AS dropped_frames, happened.missed_ticks, happened.focus_losses,
    coalesce(greatest(happened.idle_us, played_us - happened.last_input_us, 0), played_us) / 1e6::float8
        AS idle_seconds,
    coalesce(s.paused_seconds, 0) AS paused_seconds, s.active_speed, s.incident,
    (SELECT count(*) FROM quarantine q WHERE q.episode_id = e.id) AS quarantined_segments,
    (SELECT md5(string_agg(t.action::text, ',' ORDER BY t.step)) FROM transition t WHERE t.episode_id = e.id)
        AS actions_md5,
    coalesce(used.actions, '{}') AS actions, used.entropy_bits, used.hold_steps,
    (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY first.stimulus_ms)
        FROM (SELECT DISTINCT ON (r.stimulus_frame) r.stimulus_ms FROM reaction_time r
            WHERE r.episode_id = e.id AND r.stimulus_ms IS NOT NULL
            ORDER BY r.stimulus_frame, r.number) AS first) AS reaction_ms,
    now() AS time_measured
FROM episode e
CROSS JOIN LATERAL (SELECT extract(epoch FROM e.time_ended - e.time_created)::float8 * 1e6 AS played_us) AS span
JOIN game g ON g.id = e.game_id
JOIN game now ON now.id = coalesce(g.alias_of, g.id)
LEFT JOIN episode_summary s ON s.episode_id = e.id
CROSS JOIN LATERAL (
    SELECT coalesce(sum((v.data ->> 'ticks_missed')::int), 0) AS missed_ticks,
        count(*) FILTER (WHERE v.kind = 'focus' AND v.data ->> 'state' IN ('blur', 'hidden')) AS focus_losses,
        max(v.server_us - v.before_us) FILTER (WHERE v.kind = 'input') AS idle_us,
        max(v.server_us) FILTER (WHERE v.kind = 'input') AS last_input_us
    FROM (SELECT *, lag(server_us, 1, 0::bigint) OVER (PARTITION BY kind ORDER BY number) AS before_us
        FROM event WHERE episode_id = e.id AND kind IN ('input', 'focus', 'late')) AS v) AS happened
CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(a.action, a.steps) AS actions,
        -sum(a.share * ln(a.share)) / ln(2::float8) AS entropy_bits,
        (sum(a.steps) / sum(a.holds))::float8 AS hold_steps
    FROM action_use a WHERE a.episode_id = e.id) AS used
WHERE e.id = ANY(:ids)
"""

# Only with many steps are equal actions no coincidence.
DUPLICATES = """
UPDATE episode_measure m SET is_duplicate = found.is_duplicate
FROM (SELECT episode_id, steps >= 100 AND actions_md5 IS NOT NULL AND row_number() OVER (
        PARTITION BY game_id, seed, actions_md5, steps >= 100 ORDER BY episode_id) > 1 AS is_duplicate
    FROM episode_measure WHERE seed = ANY(:seeds)) AS found
WHERE m.episode_id = found.episode_id AND m.is_duplicate <> found.is_duplicate
"""


async def list_unmeasured(connection: AsyncConnection, limit: int) -> list[UUID]:
    """Return up to `limit` ended episodes without a measure that is up to date, oldest first."""
    query = text(f"SELECT e.id {UNMEASURED} ORDER BY e.id LIMIT :limit")
    return list((await connection.execute(query, {"limit": limit})).scalars())


async def count_unmeasured(connection: AsyncConnection) -> int:
    """Return the number of ended episodes without a measure that is up to date."""
    return int((await connection.execute(text(f"SELECT count(*) {UNMEASURED}"))).scalar_one())


async def measure_episodes(connection: AsyncConnection, objects: ObjectStore, ids: Sequence[UUID]) -> None:
    """Compute the measures of these episodes, and replace earlier ones. Episodes that do not exist are ignored."""
    await show_archived(connection, objects, ids, views=True)
    names = [column.name for column in _measure.columns if column.name not in ("is_duplicate", "n_flags")]
    updates = ", ".join(f"{name} = EXCLUDED.{name}" for name in names if name != "episode_id")
    statement = (
        f"INSERT INTO episode_measure ({', '.join(names)}) SELECT {', '.join(names)} FROM ({MEASURES}) AS computed "
        f"ON CONFLICT (episode_id) DO UPDATE SET {updates}"
    )
    # Of two transactions that measure equal episodes at once, neither would see a duplicate.
    await connection.execute(text("LOCK TABLE episode_measure IN SHARE ROW EXCLUSIVE MODE"))
    await connection.execute(text(statement.replace("::", r"\:\:")), {"ids": list(ids)})
    seeds = select(_measure.c.seed).distinct().where(_measure.c.episode_id.in_(ids))
    await mark_duplicates(connection, list((await connection.execute(seeds)).scalars()))


async def mark_duplicates(connection: AsyncConnection, seeds: Sequence[int]) -> None:
    """Set `is_duplicate` of all measured episodes with these seeds."""
    await connection.execute(text(DUPLICATES), {"seeds": list(seeds)})


async def find_newest_measure(connection: AsyncConnection) -> datetime | None:
    """Return the time of the newest measure, or None without any."""
    newest: datetime | None = (await connection.execute(select(func.max(_measure.c.time_measured)))).scalar_one()
    return newest


async def measure_missing(engine: AsyncEngine, objects: ObjectStore) -> int:
    """Compute the measures that are missing or outdated, batch by batch; return their number."""
    n_measured = 0
    while True:
        async with transaction(engine) as connection:
            ids = await list_unmeasured(connection, BATCH_SIZE)
            await measure_episodes(connection, objects, ids)
        n_measured += len(ids)
        if len(ids) < BATCH_SIZE:
            return n_measured
