"""Bonuses of participants that were written for a recruiter."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "participant_bonus",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUID version 7; sorts by time"),
        sa.Column("user_id", sa.String(), nullable=False, comment="participant"),
        sa.Column("amount", sa.Numeric(10, 2), nullable=False, comment="amount, in the currency of the study"),
        sa.Column(
            "time_created",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="time at which it was written for the recruiter, database clock",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("participant_bonus_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("participant_bonus_pkey")),
        comment="A bonus that was written into a file for a recruiter. A participant is to get the sum of theirs.",
    )
    op.create_index(op.f("participant_bonus_user_id_idx"), "participant_bonus", ["user_id"])


def downgrade() -> None:
    """Revert."""
    op.drop_table("participant_bonus")
