"""A segment's rows can be told from changed ones."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

N_EVENTS = "events in it; null: delivered before this was kept"
DIGEST = (
    "SHA-256 of its transitions (without shown_us, which comes later) and events as they were delivered; "
    "null: before this was kept"
)
KINDS = "input, focus, pause, resume, detach, attach, clock, skipped, ..."
KINDS_NOW = "input, focus, pause, resume, detach, attach, clock, late, left-out, ...; see the data dictionary"


def upgrade() -> None:
    """Apply."""
    op.alter_column("event", "kind", comment=KINDS_NOW, existing_comment=KINDS)
    op.add_column("segment", sa.Column("n_events", sa.Integer(), nullable=True, comment=N_EVENTS))
    op.add_column("segment", sa.Column("rows_sha256", sa.String(), nullable=True, comment=DIGEST))


def downgrade() -> None:
    """Take back."""
    op.drop_column("segment", "rows_sha256")
    op.drop_column("segment", "n_events")
    op.alter_column("event", "kind", comment=KINDS, existing_comment=KINDS_NOW)
