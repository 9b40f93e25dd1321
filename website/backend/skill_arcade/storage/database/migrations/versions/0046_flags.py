"""The number of flags of an episode, so that charts without flagged episodes need not compute it."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0043"
branch_labels = None
depends_on = None

N_FLAGS = """((dropped_frames > 0.01 * steps)::int + (missed_ticks > 0.01 * steps)::int
    + (coalesce(latency_p95_ms > 200, false))::int + (focus_losses > 0)::int + (idle_seconds > 30)::int
    + (coalesce(active_speed < 0.9, false))::int + (incident IS NOT NULL)::int + (quarantined_segments > 0)::int
    + (is_duplicate)::int)::smallint"""


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "episode_measure",
        sa.Column(
            "is_duplicate",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="true: at least 100 steps, and the same seed and actions as an earlier episode of the game",
        ),
    )
    op.execute(
        "UPDATE episode_measure m SET is_duplicate = true FROM (SELECT episode_id, row_number() OVER "
        "(PARTITION BY game_id, seed, actions_md5 ORDER BY episode_id) AS place FROM episode_measure "
        "WHERE steps >= 100 AND actions_md5 IS NOT NULL) AS found WHERE found.episode_id = m.episode_id AND place > 1"
    )
    op.add_column(
        "episode_measure",
        sa.Column(
            "n_flags",
            sa.SmallInteger(),
            sa.Computed(N_FLAGS, persisted=True),
            nullable=False,
            comment="number of flags of quality, without mismatch",
        ),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_column("episode_measure", "n_flags")
    op.drop_column("episode_measure", "is_duplicate")
