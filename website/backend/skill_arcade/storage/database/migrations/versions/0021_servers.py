"""Servers with a heartbeat, and the server of each episode."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# No foreign key: a restored database may not know the server of an episode that arrives later.
SERVER_COMMENT = "server that plays or played it; null: an earlier version, or no server"
END_REASON_COMMENT = (
    "reason of the end: terminated, truncated, left, disconnected, server-stopped, crashed, server-lost, ...; "
    "null while running"
)
OLD_END_REASON_COMMENT = END_REASON_COMMENT.replace("server-lost, ", "")
KIND_COMMENT = "kind: input, focus, pause, resume, detach, attach, clock, late, left-out, server-lost, ...; see the data dictionary"
OLD_KIND_COMMENT = KIND_COMMENT.replace("server-lost, ", "")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "server",
        sa.Column("id", sa.Uuid(), nullable=False, comment="random; a restart is another server"),
        sa.Column(
            "journal_id",
            sa.Uuid(),
            nullable=False,
            comment="journal that it writes; kept by a restart with the same disk",
        ),
        sa.Column("address", sa.String(), nullable=False, comment="name of its host or container"),
        sa.Column(
            "revision", sa.String(), nullable=False, comment="revision of Cloud Run, or the version of the package"
        ),
        sa.Column("max_games", sa.Integer(), nullable=False, comment="number of games that it may run at once"),
        sa.Column(
            "games",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="number of games that ran at time_beat",
        ),
        _time("time_started", "time of the start", now=True),
        _time("time_beat", "time of the last sign of life", now=True),
        _time("time_steady", "time since which no sign of life was missed", now=True),
        _time("time_expires", "time from which it is lost: time_beat plus SERVER_LOST_SECONDS"),
        _time("time_ended", "time of an orderly stop; null: it runs, or was lost", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("server_pkey")),
        comment=("One start of a server. It is lost after `time_expires`. All times: database clock."),
    )
    op.create_index(op.f("server_journal_id_idx"), "server", ["journal_id"])
    op.add_column("episode", sa.Column("server_id", sa.Uuid(), nullable=True, comment=SERVER_COMMENT))
    op.create_index(
        op.f("episode_running_idx"), "episode", ["server_id"], postgresql_where=sa.text("time_ended IS NULL")
    )
    _comment(END_REASON_COMMENT, KIND_COMMENT)


def downgrade() -> None:
    """Take back."""
    _comment(OLD_END_REASON_COMMENT, OLD_KIND_COMMENT)
    op.drop_index(op.f("episode_running_idx"), "episode")
    op.drop_column("episode", "server_id")
    op.drop_table("server")


def _time(name: str, comment: str, *, now: bool = False, nullable: bool = False) -> sa.Column[Any]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable, comment=comment)


def _comment(end_reason: str, kind: str) -> None:
    op.execute(f"COMMENT ON COLUMN episode.end_reason IS '{end_reason}'")
    op.execute(f"COMMENT ON COLUMN event.kind IS '{kind}'")
