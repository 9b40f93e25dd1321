"""Requested exports are work too. Only comments change."""

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

COMMENTS = {
    "kind": ("certify, erase, archive or withdraw", "certify, erase, archive, withdraw or export"),
    "subject": (
        "id of the episode, user or consent that it is about",
        "id of the episode, user, consent or requested export that it is about",
    ),
}


def upgrade() -> None:
    """Apply."""
    for column, (_, comment) in COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN work.{column} IS '{comment}'")


def downgrade() -> None:
    """Undo."""
    op.execute("DELETE FROM work WHERE kind = 'export'")
    for column, (comment, _) in COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN work.{column} IS '{comment}'")
