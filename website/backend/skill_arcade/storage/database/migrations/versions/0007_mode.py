"""Who stepped an episode, and whether its page was caught, in the summary."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

COMMENT = "A row for each episode: how it went, and how good its record is"
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
        (e.provenance #>> '{player,refresh_hz}')::float8 AS refresh_hz
    """
# A game that began in the page and went on by streaming is neither one nor the other.
MORE = """,
        CASE WHEN e.provenance ->> 'mode' = 'lockstep' AND EXISTS (
                SELECT FROM event v WHERE v.episode_id = e.id AND v.kind = 'stream') THEN 'mixed'
            ELSE coalesce(e.provenance ->> 'mode', 'streamed') END AS mode,
        (SELECT v.data ->> 'what' FROM event v WHERE v.episode_id = e.id AND v.kind = 'incident'
            ORDER BY v.number LIMIT 1) AS incident
    """


def upgrade() -> None:
    """Apply."""
    op.execute(sa.text(f"CREATE OR REPLACE VIEW episode_summary AS {BEFORE}{MORE} FROM episode e".replace(":", r"\:")))


def downgrade() -> None:
    """Take back."""
    op.execute("DROP VIEW episode_summary")
    op.execute(sa.text(f"CREATE VIEW episode_summary AS {BEFORE} FROM episode e".replace(":", r"\:")))
    op.execute(f"COMMENT ON VIEW episode_summary IS '{COMMENT}'")
