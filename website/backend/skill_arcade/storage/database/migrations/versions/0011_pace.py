"""Pauses and speed of each episode, so that slow motion is visible."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

COMMENT = "One row per episode: pauses, and how fast it was played compared with the game''s own pace."
SUMMARY_COMMENT = "One row per episode: its result, its latencies and the quality of its recording."
# A pause begins with `pause`, with `stream` (lockstep ends, and the game waits) or with `detach`; in lockstep a `detach`
# pauses nothing before `stream`. It lasts until the next `resume`, or until the episode ends. Only the part before the
# last step counts against the pace.
PACE = """
    SELECT e.id AS episode_id, nominal.hz AS nominal_hz, coalesce(paused.pauses, 0) AS pauses,
        coalesce(paused.us, 0) / 1e6::float8 AS paused_seconds,
        span.us / 1e6::float8 AS elapsed_seconds,
        (span.us - coalesce(paused.us_in_span, 0)) / 1e6::float8 AS active_seconds,
        (e.n_steps - 1) * 1e6::float8 / nullif(nominal.hz * (span.us - coalesce(paused.us_in_span, 0)), 0) AS active_speed,
        (e.n_steps - 1) * 1e6::float8 / nullif(nominal.hz * span.us, 0) AS overall_speed
    FROM episode e
    LEFT JOIN LATERAL (
        SELECT (g.config #>> '{pace,hz}')::float8 * coalesce((e.provenance #>> '{options,speed}')::float8, 1) AS hz
        FROM game g WHERE g.id = e.game_id AND g.config #>> '{pace,kind}' = 'real-time') AS nominal ON true
    LEFT JOIN LATERAL (
        SELECT first.server_us AS first_us, last.server_us AS last_us, last.server_us - first.server_us AS us
        FROM (SELECT t.server_us, t.step FROM transition t WHERE t.episode_id = e.id ORDER BY t.step LIMIT 1) AS first,
            (SELECT t.server_us, t.step FROM transition t WHERE t.episode_id = e.id ORDER BY t.step DESC LIMIT 1) AS last
        WHERE last.step > first.step) AS span ON true
    LEFT JOIN LATERAL (
        SELECT count(*) AS pauses, sum(until_us - from_us)::bigint AS us,
            sum(greatest(least(until_us, span.last_us) - greatest(from_us, span.first_us), 0))::bigint AS us_in_span
        FROM (
            SELECT v.server_us AS from_us, coalesce(
                    min(v.server_us) FILTER (WHERE v.kind = 'resume') OVER later,
                    (extract(epoch FROM e.time_ended - e.time_created) * 1e6)::bigint, v.server_us) AS until_us,
                v.kind, lag(v.kind) OVER numbered AS before
            FROM (
                SELECT *, bool_or(kind = 'stream') OVER (ORDER BY number) AS is_streamed FROM event
                WHERE episode_id = e.id AND kind IN ('pause', 'detach', 'stream', 'resume')
            ) AS v
            WHERE v.kind <> 'detach' OR v.is_streamed OR e.provenance ->> 'mode' IS DISTINCT FROM 'lockstep'
            WINDOW numbered AS (ORDER BY v.number),
                later AS (ORDER BY v.number ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
        ) AS starts
        WHERE kind <> 'resume' AND coalesce(before, 'resume') = 'resume') AS paused ON true"""
# The definition of the migration 0007, and the new columns.
BEFORE = """
    SELECT e.id AS episode_id, e.user_id AS player_id, e.game_id, e.environment ->> 'id' AS environment_id, e.seed,
        e.score AS return, e.n_steps AS steps, e.status::text AS status, e.end_reason,
        e.time_created, e.time_ended,
        extract(epoch FROM e.time_ended - e.time_created)::float8 AS duration_seconds,
        coalesce((SELECT c.result = 'certified' FROM certificate c WHERE c.episode_id = e.id
            ORDER BY c.time_created DESC LIMIT 1), false) AS certified,
        (SELECT (percentile_cont(0.5) WITHIN GROUP (ORDER BY l.latency_ms)) FROM input_latency l WHERE l.episode_id = e.id)
            AS latency_p50_ms,
        (SELECT (percentile_cont(0.95) WITHIN GROUP (ORDER BY l.latency_ms)) FROM input_latency l WHERE l.episode_id = e.id)
            AS latency_p95_ms,
        (SELECT count(*) FROM transition t WHERE t.episode_id = e.id AND t.shown_us IS NULL) AS dropped_frames,
        (SELECT mode() WITHIN GROUP (ORDER BY v.data ->> 'device') FROM event v
            WHERE v.episode_id = e.id AND v.kind = 'input') AS device,
        e.provenance #>> '{player,browser}' AS browser,
        (e.provenance #>> '{player,refresh_hz}')::float8 AS refresh_hz,
        CASE WHEN e.provenance ->> 'mode' = 'lockstep' AND EXISTS (
                SELECT FROM event v WHERE v.episode_id = e.id AND v.kind = 'stream') THEN 'mixed'
            ELSE coalesce(e.provenance ->> 'mode', 'streamed') END AS mode,
        (SELECT v.data ->> 'what' FROM event v WHERE v.episode_id = e.id AND v.kind = 'incident'
            ORDER BY v.number LIMIT 1) AS incident
    """
MORE = """,
        (SELECT p.pauses FROM episode_pace p WHERE p.episode_id = e.id) AS pauses,
        (SELECT p.paused_seconds FROM episode_pace p WHERE p.episode_id = e.id) AS paused_seconds,
        (SELECT p.active_speed FROM episode_pace p WHERE p.episode_id = e.id) AS active_speed,
        (SELECT p.overall_speed FROM episode_pace p WHERE p.episode_id = e.id) AS overall_speed
    """


def upgrade() -> None:
    """Apply."""
    op.execute(sa.text(f"CREATE VIEW episode_pace AS {PACE}".replace(":", r"\:")))
    op.execute(f"COMMENT ON VIEW episode_pace IS '{COMMENT}'")
    op.execute(sa.text(f"CREATE OR REPLACE VIEW episode_summary AS {BEFORE}{MORE} FROM episode e".replace(":", r"\:")))


def downgrade() -> None:
    """Take back."""
    op.execute("DROP VIEW episode_summary")
    op.execute(sa.text(f"CREATE VIEW episode_summary AS {BEFORE} FROM episode e".replace(":", r"\:")))
    op.execute(f"COMMENT ON VIEW episode_summary IS '{SUMMARY_COMMENT}'")
    op.execute("DROP VIEW episode_pace")
