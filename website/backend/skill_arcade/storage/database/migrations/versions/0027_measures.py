"""Measures of episodes, computed once, for charts of many episodes."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

COMMENT = "Measures of an ended episode, computed once from its steps and events, for charts of many episodes."


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "episode_measure",
        sa.Column("episode_id", sa.Uuid(), nullable=False, comment="episode"),
        _text("user_id", "player"),
        _text("game_id", "present id of the game; former ids count for it"),
        _text("variant", "episode_variant.variant"),
        _text("environment_id", "Gymnasium id", nullable=True),
        _integer("seed", "episode.seed"),
        _float("score", "sum of rewards: the return"),
        _integer("steps", "number of transitions"),
        _text("status", "won, lost or incomplete"),
        _text("end_reason", "episode.end_reason", nullable=True),
        _time("time_started", "episode.time_created, server wall clock"),
        _time("time_ended", "episode.time_ended, server wall clock"),
        _text("study", "study; null: none", nullable=True),
        _text("arm", "condition of the study; null: none", nullable=True),
        _text("mode", "streamed, lockstep or mixed"),
        _text("device", "most frequent input device; null: no input", nullable=True),
        _float("latency_p50_ms", "median of input_latency.latency_ms", nullable=True),
        _float("latency_p95_ms", "95th percentile of input_latency.latency_ms", nullable=True),
        _integer("dropped_frames", "number of observations acted on and never painted"),
        _integer("missed_ticks", "number of ticks skipped because a step was late"),
        _integer("focus_losses", "number of times the page lost the focus or was hidden"),
        _float("idle_seconds", "longest time without input, seconds, server clock"),
        _float("paused_seconds", "episode_pace.paused_seconds"),
        _float("active_speed", "episode_pace.active_speed", nullable=True),
        _text("incident", "episode_summary.incident", nullable=True),
        _integer("quarantined_segments", "number of segments that storage rejected"),
        _text("actions_md5", "MD5 of the sequence of actions; null: no steps", nullable=True),
        sa.Column(
            "actions",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="action to number of steps",
        ),
        _float("entropy_bits", "entropy of the actions, bits; null: no steps", nullable=True),
        _float("hold_steps", "mean length of runs of one action, steps", nullable=True),
        _float(
            "reaction_ms",
            "median of reaction_time.stimulus_ms, first press after each stimulus; null: none",
            nullable=True,
        ),
        sa.Column(
            "time_measured",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="time of the computation, database clock",
        ),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name=op.f("episode_measure_episode_id_fkey")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("episode_measure_user_id_fkey")),
        sa.ForeignKeyConstraint(["game_id"], ["game.id"], name=op.f("episode_measure_game_id_fkey")),
        sa.PrimaryKeyConstraint("episode_id", name=op.f("episode_measure_pkey")),
        comment=COMMENT,
    )
    for columns in (["user_id"], ["game_id", "user_id"], ["seed", "actions_md5"]):
        op.create_index(op.f(f"episode_measure_{'_'.join(columns)}_idx"), "episode_measure", columns)


def downgrade() -> None:
    """Revert."""
    op.drop_table("episode_measure")


def _text(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=nullable, comment=comment)


def _integer(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=False, comment=comment)


def _float(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Float(), nullable=nullable, comment=comment)


def _time(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, comment=comment)
