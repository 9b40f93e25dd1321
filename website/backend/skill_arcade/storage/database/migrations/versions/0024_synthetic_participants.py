"""Participants that are programs, with places of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0022"
branch_labels = None
depends_on = None

COMMENT = "true: a program, as user.is_synthetic says; it counts for no quota, and has places of its own"
INDEX = "participant_slot_idx"


def upgrade() -> None:
    """Apply."""
    column: sa.Column[bool] = sa.Column(
        "is_synthetic", sa.Boolean(), server_default="false", nullable=False, comment=COMMENT
    )
    op.add_column("participant", column)
    op.execute('UPDATE participant p SET is_synthetic = true FROM "user" u WHERE u.id = p.user_id AND u.is_synthetic')
    _make_index(["study_name", "is_synthetic", "stratum", "slot"])


def downgrade() -> None:
    """Revert. Programs give up their places, which persons may have too."""
    op.execute("UPDATE participant SET holds_slot = false WHERE is_synthetic")
    _make_index(["study_name", "stratum", "slot"])
    op.drop_column("participant", "is_synthetic")


def _make_index(columns: list[str]) -> None:
    op.drop_index(INDEX, "participant")
    op.create_index(INDEX, "participant", columns, unique=True, postgresql_where=sa.text("holds_slot"))
