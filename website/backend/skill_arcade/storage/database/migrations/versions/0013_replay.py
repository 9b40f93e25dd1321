"""Links that share an episode, and notes on steps."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "share",
        sa.Column("id", sa.Uuid(), nullable=False, comment="random id, by which the player revokes the link"),
        sa.Column("episode_id", sa.Uuid(), nullable=False, comment="episode"),
        sa.Column("user_id", sa.String(), nullable=False, comment="player, who made the link"),
        sa.Column(
            "token_sha256",
            sa.String(),
            nullable=False,
            comment="SHA-256 of the token in the link, hexadecimal; the token is not kept",
        ),
        sa.Column(
            "time_created",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="time of the request, database clock",
        ),
        sa.Column(
            "time_revoked",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="time of the revocation, database clock; null: valid",
        ),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name=op.f("share_episode_id_fkey")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("share_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("share_pkey")),
        sa.UniqueConstraint("token_sha256", name=op.f("share_token_sha256_key")),
        comment="A link by which anyone who has it can watch one episode, until the player revokes it.",
    )
    op.create_table(
        "note",
        sa.Column("id", sa.Uuid(), nullable=False, comment="random id"),
        sa.Column("episode_id", sa.Uuid(), nullable=False, comment="episode"),
        sa.Column("user_id", sa.String(), nullable=False, comment="author"),
        sa.Column(
            "author_role",
            sa.String(),
            nullable=False,
            comment="player: the author played the episode; researcher: somebody else did",
        ),
        sa.Column(
            "step_from",
            sa.Integer(),
            nullable=False,
            comment="first step of the range; step i is the row of observation i",
        ),
        sa.Column("step_to", sa.Integer(), nullable=False, comment="step after the range, at most n_steps + 1"),
        sa.Column("tag", sa.String(), nullable=True, comment="tag of the vocabulary; null: none"),
        sa.Column(
            "vocabulary",
            sa.Integer(),
            nullable=False,
            comment="version of the vocabulary that the author chose from",
        ),
        sa.Column("text", sa.String(), nullable=False, comment="free text; may be empty if there is a tag"),
        sa.Column(
            "time_created",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="time of the note, database clock",
        ),
        sa.Column(
            "time_retracted",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="time of the retraction, database clock; null: valid",
        ),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name=op.f("note_episode_id_fkey")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("note_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("note_pkey")),
        comment="A tag or text on steps of an episode, by its player or a researcher; retracted, never deleted.",
    )
    for table in ("share", "note"):
        for column in ("episode_id", "user_id"):
            op.create_index(op.f(f"{table}_{column}_idx"), table, [column])


def downgrade() -> None:
    """Take back."""
    op.drop_table("note")
    op.drop_table("share")
