"""Tombstones of erased accounts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "erasure",
        sa.Column(
            "user_id",
            sa.String(),
            nullable=False,
            comment="the id that it had; never used again, so what arrives late is dropped",
        ),
        sa.Column(
            "time_created",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="erasure asked for, database clock",
        ),
        sa.Column(
            "time_erased",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="all rows and objects were gone, database clock; null: under way",
        ),
        sa.Column(
            "games",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="game id to the episodes and steps of it that were erased",
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("erasure_pkey")),
        comment="What is left of an account that its player erased: that it was there, and how much was played on it.",
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("erasure")
