"""Queries about the quality of what participants of a study played: mode, frames, latency, focus and idle time."""

from typing import Any

from sqlalchemy import Row, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.storage.database.consents import RESEARCH

# Lockstep is a condition: the mode that an episode's record has is compared with the one that its stage imposed.
# The first gap is that before the first input, the last one that up to the last step.
_TRIALS = """
    SELECT s.episode_id, s.player_id AS user_id, s.arm, s.is_practice, m.steps AS frames,
        m.mode, m.mode <> CASE s.lockstep WHEN true THEN 'lockstep' WHEN false THEN 'streamed' END AS mode_differs,
        m.dropped_frames AS frames_dropped, m.latency_p95_ms,
        (SELECT count(*) FROM event v
            WHERE v.episode_id = s.episode_id AND v.kind = 'focus' AND v.data ->> 'state' IN ('blur', 'hidden')
        ) AS focus_lost,
        (SELECT max(gap) / 1e6 FROM (
            SELECT server_us - lag(server_us, 1, 0::bigint) OVER (ORDER BY server_us) AS gap FROM (
                SELECT v.server_us FROM event v WHERE v.episode_id = s.episode_id AND v.kind = 'input'
                UNION ALL SELECT max(t.server_us) FROM transition t WHERE t.episode_id = s.episode_id
            ) AS moments WHERE server_us IS NOT NULL
        ) AS gaps)::float8 AS idle_seconds
    FROM study_episode s JOIN episode_summary m ON m.episode_id = s.episode_id
    WHERE s.study = :study AND EXISTS (
        SELECT FROM episode_consent c WHERE c.episode_id = s.episode_id AND c.scope = :scope AND c.is_allowed)"""
_PARTICIPANTS = f"""
    WITH trial AS ({_TRIALS}), latency AS (
        SELECT t.user_id, percentile_cont(0.95) WITHIN GROUP (ORDER BY l.latency_ms) AS p95_ms
        FROM trial t JOIN input_latency l ON l.episode_id = t.episode_id WHERE NOT t.is_practice GROUP BY t.user_id)
    SELECT t.user_id, min(t.arm) AS arm, count(*) AS n_trials, sum(t.frames)::bigint AS frames,
        count(*) FILTER (WHERE t.mode_differs) AS mode_differs,
        sum(t.frames_dropped)::bigint AS frames_dropped, min(l.p95_ms) AS latency_p95_ms,
        sum(t.focus_lost)::bigint AS focus_lost, max(t.idle_seconds) AS idle_seconds
    FROM trial t LEFT JOIN latency l ON l.user_id = t.user_id WHERE NOT t.is_practice GROUP BY t.user_id"""
_ARMS = f"""
    SELECT arm, count(*) AS participants, sum(mode_differs)::bigint AS mode_differs,
        sum(frames_dropped)::float8 / nullif(sum(frames), 0) AS frames_dropped_share,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_p95_ms) AS latency_p95_ms,
        sum(focus_lost)::bigint AS focus_lost, max(idle_seconds) AS idle_seconds
    FROM ({_PARTICIPANTS}) AS participant GROUP BY arm ORDER BY arm"""
_QUALITY = ("mode_differs", "frames_dropped", "latency_p95_ms", "focus_lost", "idle_seconds")
TRIAL_QUALITY = ("mode", *_QUALITY)
PARTICIPANT_QUALITY = ("n_trials", "frames", *_QUALITY)


async def list_trial_quality(connection: AsyncConnection, name: str) -> list[Row[Any]]:
    """Return `episode_id` and the columns of `TRIAL_QUALITY` of a study's episodes that research may use."""
    return await _run(connection, _TRIALS, name)


async def list_participant_quality(connection: AsyncConnection, name: str) -> list[Row[Any]]:
    """Return `user_id` and the columns of `PARTICIPANT_QUALITY`, over a participant's games without practice."""
    return await _run(connection, _PARTICIPANTS, name)


async def list_arm_quality(connection: AsyncConnection, name: str) -> list[Row[Any]]:
    """Return the quality by arm: the median of `latency_p95_ms`, the longest `idle_seconds`, sums of the others."""
    return await _run(connection, _ARMS, name)


async def _run(connection: AsyncConnection, query: str, name: str) -> list[Row[Any]]:
    statement = text(query).bindparams(bindparam("study", name), bindparam("scope", RESEARCH))
    return list(await connection.execute(statement))
