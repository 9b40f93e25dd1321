"""Certificates: what re-runs of finished episodes found."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "certificate",
        sa.Column("episode_id", sa.Uuid(), nullable=False, comment="the episode"),
        sa.Column(
            "time_created",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="end of the re-run, database clock",
        ),
        sa.Column(
            "result",
            sa.Enum("certified", "mismatch", "irreproducible", "damaged", name="certificate_result"),
            nullable=False,
            comment="certified, mismatch at step, irreproducible (differs from itself), or damaged",
        ),
        sa.Column(
            "step", sa.Integer(), nullable=True, comment="first step whose outcome differs; -1: the reset; null: none"
        ),
        sa.Column("reason", sa.String(), nullable=False, comment="in words; empty when certified"),
        sa.Column("n_steps", sa.Integer(), nullable=False, comment="steps that were compared"),
        sa.Column("seconds", sa.Float(), nullable=False, comment="time that the re-run took"),
        sa.Column(
            "versions",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="packages, Python and machine of the re-run",
        ),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name=op.f("certificate_episode_id_fkey")),
        sa.PrimaryKeyConstraint("episode_id", "time_created", name=op.f("certificate_pkey")),
        comment="One re-run of a finished episode from what is kept, compared with what is kept. The newest one counts.",
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("certificate")
    op.execute("DROP TYPE certificate_result")
