"""Players that are programs: no view counts their episodes."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

USER_COMMENT = "true: a program, such as the smoke test of a release; no view counts its episodes"
VIEW_COMMENT = "One row per episode of a person: the table episode without the episodes of programs."
PLAYED = """
    SELECT e.id, e.user_id, e.game_id, e.seed, e.n_steps, e.score, e.status, e.end_reason, e.environment, e.provenance,
        e.time_created, e.time_ended
    FROM episode e
    WHERE NOT EXISTS (SELECT FROM "user" u WHERE u.id = e.user_id AND u.is_synthetic)"""
LATENCY = """
    SELECT episode_id, step, input_us, (next_shown_us - input_us) / 1000.0::float8 AS latency_ms
    FROM (
        SELECT t.episode_id, t.step, t.input_us,
            lag(t.input_us) OVER later AS before_us, lead(t.shown_us) OVER later AS next_shown_us
        FROM {source} WINDOW later AS (PARTITION BY t.episode_id ORDER BY t.step)
    ) AS paired
    WHERE input_us IS DISTINCT FROM before_us AND next_shown_us IS NOT NULL"""
# Every other view that earlier migrations have made reads `episode e`.
VIEWS = (
    "episode_pace",
    "episode_summary",
    "learning_curve",
    "reaction_time",
    "action_use",
    "human_normalised_score",
)


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "user",
        sa.Column("is_synthetic", sa.Boolean(), server_default="false", nullable=False, comment=USER_COMMENT),
    )
    op.execute(f"CREATE VIEW played_episode AS {PLAYED}")
    op.execute(f"COMMENT ON VIEW played_episode IS '{VIEW_COMMENT}'")
    for view in VIEWS:
        _replace(view, r"\bepisode e\b", "played_episode e")
    _write_latency("transition t JOIN played_episode e ON e.id = t.episode_id")


def downgrade() -> None:
    """Take back."""
    _write_latency("transition t")
    for view in VIEWS:
        _replace(view, r"\bplayed_episode e\b", "episode e")
    op.execute("DROP VIEW played_episode")
    op.drop_column("user", "is_synthetic")


def _write_latency(source: str) -> None:
    op.execute(sa.text(f"CREATE OR REPLACE VIEW input_latency AS {LATENCY.format(source=source)}".replace(":", r"\:")))


def _replace(view: str, pattern: str, text: str) -> None:
    """Replace a part of a view's definition, as Postgres has it. Its columns, comments and grants stay."""
    definition = (
        op.get_bind().execute(sa.text("SELECT pg_get_viewdef(CAST(:view AS regclass))"), {"view": view}).scalar()
    )
    changed = re.sub(pattern, text, str(definition))
    op.execute(sa.text(f"CREATE OR REPLACE VIEW {view} AS {changed}".replace(":", r"\:")))
