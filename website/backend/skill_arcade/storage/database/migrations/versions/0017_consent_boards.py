"""Judge again what ranks on leaderboards: an episode ranks only with its player's consent."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(
        "INSERT INTO board_queue (episode_id) SELECT episode_id FROM board_entry WHERE rejection IS NULL "
        "ON CONFLICT DO NOTHING"
    )


def downgrade() -> None:
    """Take back: the judge of an older version ranks them again."""
    op.execute(
        "INSERT INTO board_queue (episode_id) SELECT episode_id FROM board_entry WHERE rejection = 'no-consent' "
        "ON CONFLICT DO NOTHING"
    )
