"""Former ids of games, which became option values of other games."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

OLD_COMMENT = "file name of the manifest without .yaml"
COMMENT = "name of the manifest: of its file without .yaml, or in the file of a family"


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "game",
        sa.Column(
            "alias_of",
            sa.String(),
            nullable=True,
            comment="game that this became an option value of; null: a game of its own",
        ),
    )
    op.add_column(
        "game",
        sa.Column(
            "alias_options",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="options of `alias_of` that give this game; empty: its defaults, or a game of its own",
        ),
    )
    op.create_foreign_key(op.f("game_alias_of_fkey"), "game", "game", ["alias_of"], ["id"])
    op.alter_column(
        "game", "id", existing_type=sa.String(), existing_nullable=False, comment=COMMENT, existing_comment=OLD_COMMENT
    )


def downgrade() -> None:
    """Revert."""
    op.alter_column(
        "game", "id", existing_type=sa.String(), existing_nullable=False, comment=OLD_COMMENT, existing_comment=COMMENT
    )
    op.drop_constraint(op.f("game_alias_of_fkey"), "game", type_="foreignkey")
    op.drop_column("game", "alias_options")
    op.drop_column("game", "alias_of")
