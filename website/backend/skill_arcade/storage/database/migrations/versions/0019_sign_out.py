"""The time from which earlier sessions of a user are rejected."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

COMMENT = "sessions that began before are rejected, database clock; null: none is"


def upgrade() -> None:
    """Apply."""
    op.add_column("user", sa.Column("time_signed_out", sa.DateTime(timezone=True), nullable=True, comment=COMMENT))


def downgrade() -> None:
    """Revert."""
    op.drop_column("user", "time_signed_out")
