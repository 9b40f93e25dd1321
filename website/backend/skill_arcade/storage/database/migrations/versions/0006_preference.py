"""How a player likes to play."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "preference",
        sa.Column("user_id", sa.String(), nullable=False, comment="whose"),
        sa.Column(
            "settings",
            postgresql.JSONB(none_as_null=True),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="keys of each game, hand, favourites, ...: what PUT /me/preferences last took",
        ),
        sa.Column(
            "time_updated",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="last change, database clock",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("preference_user_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("preference_pkey")),
        comment="How a player likes to play, as the page keeps it. No researcher reads it.",
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("preference")
