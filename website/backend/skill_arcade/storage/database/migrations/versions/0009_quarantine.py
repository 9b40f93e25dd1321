"""Marks of segments that storage rejects."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "quarantine",
        sa.Column("episode_id", sa.Uuid(), nullable=False, comment="the episode"),
        sa.Column("number", sa.Integer(), nullable=False, comment="number of the segment"),
        sa.Column(
            "time_created",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="quarantined, database clock",
        ),
        sa.Column("n_steps", sa.Integer(), nullable=True, comment="steps in it; null: the segment cannot be parsed"),
        sa.Column("operation", sa.String(), nullable=False, comment="what failed: encode, objects or rows"),
        sa.Column("code", sa.String(), nullable=False, comment="SQLSTATE or HTTP status; empty: none"),
        sa.Column("reason", sa.String(), nullable=False, comment="class and text of the error"),
        sa.Column("version", sa.String(), nullable=False, comment="version of the arcade that rejected it"),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name=op.f("quarantine_episode_id_fkey")),
        sa.PrimaryKeyConstraint("episode_id", "number", name=op.f("quarantine_pkey")),
        comment="A segment that storage rejects for its content. It is set aside whole; its steps are missing from "
        "the episode.",
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("quarantine")
