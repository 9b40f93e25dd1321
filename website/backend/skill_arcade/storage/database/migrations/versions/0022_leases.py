"""Leases of games, and tickets that are spent on all servers."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    # Fences come from a sequence, so that they grow also when the row of a player is deleted in between.
    op.execute("CREATE SEQUENCE game_lease_fence")
    op.create_table(
        "game_lease",
        sa.Column("user_id", sa.String(), nullable=False, comment="player"),
        sa.Column("server_id", sa.Uuid(), nullable=False, comment="server that holds the lease"),
        sa.Column(
            "fence",
            sa.BigInteger(),
            server_default=sa.text("nextval('game_lease_fence')"),
            nullable=False,
            comment="number of this taking; a greater one is newer",
        ),
        sa.Column(
            "time_expires",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="time until which it was renewed, database clock; an expired one may be renewed",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("game_lease_user_id_fkey")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("game_lease_pkey")),
        comment="The server that may play a player's game. A connection to another server takes it over.",
    )
    op.create_table(
        "spent_ticket",
        sa.Column("nonce", sa.String(), nullable=False, comment="random part of the ticket"),
        sa.Column(
            "time_expires",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="time after which the row is deleted, database clock",
        ),
        sa.PrimaryKeyConstraint("nonce", name=op.f("spent_ticket_pkey")),
        comment="A ticket that was used, so that no other server accepts it.",
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("spent_ticket")
    op.drop_table("game_lease")
    op.execute("DROP SEQUENCE game_lease_fence")
