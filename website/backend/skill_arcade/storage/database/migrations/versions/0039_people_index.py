"""Index of the episodes of people and other programs by game, so that scores of people are read without agents'."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "episode_of_people_idx",
        "episode",
        ["game_id", "id"],
        postgresql_where=sa.text("agent_version_id IS NULL"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("episode_of_people_idx", "episode")
