"""Work that several processes share."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "work",
        sa.Column("kind", sa.String(), nullable=False, comment="certify, erase or withdraw"),
        sa.Column(
            "subject",
            sa.String(),
            nullable=False,
            comment="id of the episode, user or consent that it is about",
        ),
        sa.Column(
            "requests",
            sa.Integer(),
            server_default="1",
            nullable=False,
            comment="number of requests; one that comes meanwhile repeats it",
        ),
        sa.Column(
            "attempts", sa.Integer(), server_default="0", nullable=False, comment="number of times it was claimed"
        ),
        sa.Column("worker", sa.Uuid(), nullable=True, comment="process that does it; null: it waits"),
        sa.Column(
            "time_created",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="time of the first request",
        ),
        sa.Column(
            "time_due",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="time from which it may be claimed; while it is being done, the end of the lease",
        ),
        sa.PrimaryKeyConstraint("kind", "subject", name=op.f("work_pkey")),
        comment="Work that waits or is being done: one row for each subject of a kind. All times: database clock.",
    )
    op.create_index(op.f("work_kind_time_due_idx"), "work", ["kind", "time_due"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("work")
