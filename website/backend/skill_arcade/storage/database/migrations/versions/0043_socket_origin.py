"""The address of a server, so that a ticket can name the one to connect to."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "server",
        sa.Column(
            "socket_origin",
            sa.String(),
            comment="origin at which it accepts players, as ws or wss; null: no ticket names it, for example because it is stopping",
        ),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_column("server", "socket_origin")
