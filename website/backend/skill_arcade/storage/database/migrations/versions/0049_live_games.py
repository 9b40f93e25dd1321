"""The games of agents that can be watched on each server."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0049"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "server",
        sa.Column(
            "live_games",
            JSONB(),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
            comment="games of agents that could be watched at time_beat: for each `agent`, `version`, `game_id`, `game_name` and `watch_token`, the token of the link",
        ),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_column("server", "live_games")
