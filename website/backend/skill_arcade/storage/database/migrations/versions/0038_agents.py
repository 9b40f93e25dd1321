"""Agents: accounts, versions that never change, tokens, and the version that played an episode."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

EPISODE_COMMENT = "version of the agent that played it; null: a person, or another program"
REFUSE_CHANGES = """
CREATE FUNCTION refuse_agent_version_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'versions of agents never change; add another version';
END $$
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "agent",
        _text("user_id", "the agent's own account"),
        _text("name", "name, such as pong-follower"),
        _text("summary", "what the agent does, in a sentence"),
        _text("owner_id", "user who is responsible for it; null: the operator, or an erased account", nullable=True),
        _now("time at which it was added, database clock"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("agent_user_id_fkey")),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name=op.f("agent_owner_id_fkey"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("agent_pkey")),
        sa.UniqueConstraint("name", name=op.f("agent_name_key")),
        comment="A player that is an agent. Its row of `user` is marked as a program: no view counts it.",
    )
    op.create_index(op.f("agent_owner_id_idx"), "agent", ["owner_id"])
    op.create_table(
        "agent_version",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUID version 7; sorts by time"),
        _text("user_id", "agent"),
        sa.Column("number", sa.Integer(), nullable=False, comment="number of the version, from 1"),
        _text("sha256", "SHA-256 of the weights, or of the source file that has the policy; hexadecimal"),
        _text("format", "scripted: part of Skill Arcade; onnx: weights; entry-point: Python class"),
        _text("entry_point", "module:Class that makes the policy; null: weights in ONNX", nullable=True),
        _text(
            "observation",
            "what the policy gets: picture, environment (its observation), or atari (84 by 84, grey, skip 4, stack 4)",
        ),
        _json("games", "patterns of the ids of the games that it plays; one that begins with ! excludes"),
        _json("env_spec", "Gymnasium EnvSpec with the wrappers that it was trained with", nullable=True),
        _json("action_map", "action of the game for each output of the policy; null: the same", nullable=True),
        _json("training", "facts of its training, as its owner states them"),
        _text("licence", "licence of weights or source; null: not stated", nullable=True),
        _now("time at which it was added, database clock"),
        sa.CheckConstraint("format IN ('scripted', 'onnx', 'entry-point')", name=op.f("agent_version_format_check")),
        sa.CheckConstraint(
            "observation IN ('picture', 'environment', 'atari')", name=op.f("agent_version_observation_check")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["agent.user_id"], name=op.f("agent_version_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("agent_version_pkey")),
        sa.UniqueConstraint("user_id", "number", name=op.f("agent_version_user_id_number_key")),
        comment="A version of an agent: what exactly plays. Rows are only added; a trigger refuses changes.",
    )
    op.execute(REFUSE_CHANGES)
    op.execute(
        "CREATE TRIGGER agent_version_never_changes BEFORE UPDATE ON agent_version "
        "FOR EACH ROW EXECUTE FUNCTION refuse_agent_version_change()"
    )
    op.create_table(
        "agent_token",
        _text("sha256", "SHA-256 of the token, hexadecimal"),
        _text("user_id", "agent"),
        _now("time at which it was made, database clock"),
        sa.Column(
            "time_revoked",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="from then on it is rejected, database clock; null: it is valid",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["agent.user_id"], name=op.f("agent_token_user_id_fkey")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("agent_token_pkey")),
        comment="A token by which an agent signs in. Only its hash is stored.",
    )
    op.create_index(op.f("agent_token_user_id_idx"), "agent_token", ["user_id"])
    op.add_column("episode", sa.Column("agent_version_id", sa.Uuid(), nullable=True, comment=EPISODE_COMMENT))
    op.create_foreign_key(
        op.f("episode_agent_version_id_fkey"), "episode", "agent_version", ["agent_version_id"], ["id"]
    )
    op.create_index(
        "episode_of_agent_idx",
        "episode",
        ["agent_version_id", "id"],
        postgresql_where=sa.text("agent_version_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("episode_of_agent_idx", "episode")
    op.drop_column("episode", "agent_version_id")
    op.drop_table("agent_token")
    op.drop_table("agent_version")
    op.execute("DROP FUNCTION refuse_agent_version_change()")
    op.drop_table("agent")


def _text(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=nullable, comment=comment)


def _json(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    default = None if nullable else sa.text("'{}'::jsonb")
    type_ = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
    return sa.Column(name, type_, server_default=default, nullable=nullable, comment=comment)


def _now(comment: str) -> sa.Column[Any]:
    return sa.Column(
        "time_created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment=comment
    )
