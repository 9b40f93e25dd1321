"""Journals that may have recordings of a participant of a study, so that other servers wait for them."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "participant",
        sa.Column(
            "pending_journals",
            sa.ARRAY(sa.Uuid()),
            server_default="{}",
            nullable=False,
            comment="journals of servers that may have recordings of theirs that are not stored yet",
        ),
    )
    op.add_column(
        "participant",
        sa.Column(
            "is_seal_requested",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="true: another server waits until their last game is sealed and stored",
        ),
    )
    op.create_index(
        "participant_pending_journals_idx",
        "participant",
        ["user_id"],
        postgresql_where=sa.text("pending_journals <> '{}'"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("participant_pending_journals_idx", table_name="participant")
    op.drop_column("participant", "is_seal_requested")
    op.drop_column("participant", "pending_journals")
