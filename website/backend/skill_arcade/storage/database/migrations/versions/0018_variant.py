"""Count the episodes of former ids of a game with those of the variant that these ids stand for."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

COMMENT = "One row per episode of a person: the variant of a game that was played, under its present name."
SUMMARY_COMMENT = "One row per episode: its result, its latencies and the quality of its recording."
CURVE_COMMENT = "One row per ended episode: a player''s progress in a game."
COLUMN_COMMENTS = {
    "episode_id": "episode",
    "variant": "present id of the game and, after ?, the options that select its environment",
}
# A manifest has an object of values for an option that selects an environment, and a list for any other option. A
# chosen default is not stored, so each variant has one spelling.
VARIANT = """
    SELECT e.id AS episode_id, now.id || coalesce((
            SELECT '?' || string_agg(o.key || '=' || o.value, '&' ORDER BY o.key)
            FROM jsonb_each_text(g.alias_options || coalesce(e.provenance -> 'options', '{}')) o
            WHERE jsonb_typeof(now.config #> ARRAY['options', o.key]) = 'object'), '') AS variant
    FROM played_episode e
    JOIN game g ON g.id = e.game_id
    JOIN game now ON now.id = coalesce(g.alias_of, g.id)"""
CURVE = """
    SELECT episode_id, player_id, game_id, episode_index, return, steps, status, time_created,
        (sum(steps) OVER past)::bigint AS cumulative_frames,
        sum(seconds) OVER past / 60 AS cumulative_minutes,
        gap_seconds,
        1 + count(*) FILTER (WHERE gap_seconds > 1800) OVER past AS session_index{column}
    FROM (
        SELECT e.user_id AS player_id, e.game_id, {variant} AS variant, e.id AS episode_id, e.score AS return,
            e.n_steps AS steps, e.status::text AS status, e.time_created,
            extract(epoch FROM e.time_ended - e.time_created)::float8 AS seconds,
            row_number() OVER played AS episode_index,
            extract(epoch FROM e.time_created - lag(e.time_ended) OVER played)::float8 AS gap_seconds
        FROM {source}
        WHERE e.time_ended IS NOT NULL
        WINDOW played AS (PARTITION BY e.user_id, {variant} ORDER BY e.id)
    ) AS numbered
    WINDOW past AS (PARTITION BY player_id, variant ORDER BY episode_index)"""
SUMMARY_END = r"\s+FROM played_episode e;\s*$"
SUMMARY_COLUMN = "(SELECT v.variant FROM episode_variant v WHERE v.episode_id = e.id) AS variant"


def upgrade() -> None:
    """Apply."""
    _execute(f"CREATE VIEW episode_variant AS {VARIANT}")
    op.execute(f"COMMENT ON VIEW episode_variant IS '{COMMENT}'")
    for column, comment in COLUMN_COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN episode_variant.{column} IS '{comment}'")
    source = "played_episode e JOIN episode_variant v ON v.episode_id = e.id"
    _execute(
        f"CREATE OR REPLACE VIEW learning_curve AS {CURVE.format(column=', variant', variant='v.variant', source=source)}"
    )
    definition, n_replaced = re.subn(SUMMARY_END, f", {SUMMARY_COLUMN} FROM played_episode e", _definition())
    if n_replaced != 1:
        raise RuntimeError("the view episode_summary does not end as this migration expects")
    _execute(f"CREATE OR REPLACE VIEW episode_summary AS {definition}")


def downgrade() -> None:
    """Take back."""
    definition = re.sub(
        r",\s*\( SELECT v\.variant\s+FROM episode_variant v.*?AS variant(?=\s+FROM)", "", _definition(), flags=re.S
    )
    op.execute("DROP VIEW episode_summary")
    _execute(f"CREATE VIEW episode_summary AS {definition}")
    op.execute(f"COMMENT ON VIEW episode_summary IS '{SUMMARY_COMMENT}'")
    op.execute("DROP VIEW learning_curve")
    _execute(f"CREATE VIEW learning_curve AS {CURVE.format(column='', variant='e.game_id', source='played_episode e')}")
    op.execute(f"COMMENT ON VIEW learning_curve IS '{CURVE_COMMENT}'")
    op.execute("DROP VIEW episode_variant")


def _definition() -> str:
    """Return the definition of episode_summary, as Postgres has it."""
    return str(op.get_bind().execute(sa.text("SELECT pg_get_viewdef('episode_summary')")).scalar())


def _execute(statement: str) -> None:
    op.execute(sa.text(statement.replace(":", r"\:")))
