"""Sound, ghost and lockstep of a study's trials, as columns of the view study_episode."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0030"
branch_labels = None
depends_on = None

COMMENTS = {
    "sound": "true: with sound; false: without; null: the participant chose",
    "ghost": "true if the page showed the participant's last game of the stage, once there was one",
    "lockstep": "true if the page might step the game itself; episode_summary.mode says whether it did",
}
COLUMNS = (
    "(s.study ->> 'sound')::boolean AS sound, coalesce((s.study ->> 'ghost')::boolean, false) AS ghost, "
    "coalesce((s.study ->> 'lockstep')::boolean, false) AS lockstep"
)


def upgrade() -> None:
    """Apply. New columns at the end of a view leave the columns before them, comments and grants as they are."""
    query = sa.text("SELECT pg_get_viewdef(CAST('study_episode' AS regclass))")
    definition = str(op.get_bind().execute(query).scalar())
    head, from_, tail = definition.partition("\n   FROM ")
    if not from_:
        raise RuntimeError("the view study_episode does not look as this migration expects")
    op.execute(sa.text(f"CREATE OR REPLACE VIEW study_episode AS {head}, {COLUMNS}{from_}{tail}".replace(":", r"\:")))
    for column, comment in COMMENTS.items():
        quoted = comment.replace("'", "''")
        op.execute(sa.text(f"COMMENT ON COLUMN study_episode.{column} IS '{quoted}'".replace(":", r"\:")))


def downgrade() -> None:
    """Revert. Postgres drops no column of a view, so the view is made again, with its comments."""
    connection = op.get_bind()
    kept = sa.text(
        "SELECT attname, col_description(attrelid, attnum) FROM pg_attribute "
        "WHERE attrelid = CAST('study_episode' AS regclass) AND attnum > 0 AND attname <> ALL(:names) ORDER BY attnum"
    )
    comments = connection.execute(kept, {"names": list(COMMENTS)}).all()
    definition, comment = connection.execute(
        sa.text(
            "SELECT pg_get_viewdef(CAST('study_episode' AS regclass)), obj_description(CAST('study_episode' AS regclass))"
        )
    ).one()
    head, from_, tail = str(definition).partition("\n   FROM ")
    columns = head[: head.index("AS frame_delay_ms") + len("AS frame_delay_ms")]
    op.execute("DROP VIEW study_episode")
    op.execute(sa.text(f"CREATE VIEW study_episode AS {columns}{from_}{tail}".replace(":", r"\:")))
    op.execute(sa.text(f"COMMENT ON VIEW study_episode IS '{comment}'".replace(":", r"\:")))
    for name, text in comments:
        quoted = text.replace("'", "''").replace(":", r"\:")
        op.execute(sa.text(f"COMMENT ON COLUMN study_episode.{name} IS '{quoted}'"))
