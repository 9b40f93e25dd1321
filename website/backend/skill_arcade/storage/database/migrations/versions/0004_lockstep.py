"""When the page took a step by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

LATE = "step began this many microseconds after its deadline; null when turn-based"
STEPPED = (
    "lockstep: the page took this step, by the browser's clock, microseconds since its time origin; "
    "null: the server paced it"
)


def upgrade() -> None:
    """Apply."""
    op.add_column("transition", sa.Column("stepped_us", sa.BigInteger(), nullable=True, comment=STEPPED))
    op.alter_column("transition", "late_us", comment=f"{LATE} or in lockstep", existing_comment=LATE)


def downgrade() -> None:
    """Take back."""
    op.alter_column("transition", "late_us", comment=LATE, existing_comment=f"{LATE} or in lockstep")
    op.drop_column("transition", "stepped_us")
