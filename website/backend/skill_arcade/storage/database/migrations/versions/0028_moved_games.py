"""Games that move to another server: the server that has a game, and the fence of an episode."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


OLD_KIND_COMMENT = "kind: input, focus, pause, resume, detach, attach, clock, late, left-out, server-lost, ...; see the data dictionary"
KIND_COMMENT = OLD_KIND_COMMENT.replace("server-lost, ", "server-lost, moved, ")


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "game_lease",
        sa.Column(
            "game_server_id",
            sa.Uuid(),
            nullable=True,
            comment="server that has the game, or had it last; null: none, or it has let it go",
        ),
    )
    op.add_column(
        "game_lease",
        sa.Column(
            "moved_episode_id",
            sa.Uuid(),
            nullable=True,
            comment="episode that the server before has handed over, until another one continues it",
        ),
    )
    op.add_column(
        "episode",
        sa.Column(
            "fence",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment=(
                "fence of the lease under which a server continued it last; segments of lower ones are refused. "
                "0: its first server plays it"
            ),
        ),
    )
    op.add_column(
        "episode",
        sa.Column(
            "time_handed_over",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="time at which its server had handed it over, database clock; null: no server is awaited",
        ),
    )
    op.execute(f"COMMENT ON COLUMN event.kind IS '{KIND_COMMENT}'")


def downgrade() -> None:
    """Take back."""
    op.execute(f"COMMENT ON COLUMN event.kind IS '{OLD_KIND_COMMENT}'")
    op.drop_column("episode", "time_handed_over")
    op.drop_column("episode", "fence")
    op.drop_column("game_lease", "moved_episode_id")
    op.drop_column("game_lease", "game_server_id")
