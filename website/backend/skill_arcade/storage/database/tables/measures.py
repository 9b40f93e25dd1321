"""Table of the measures of episodes, which the research pages read."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Column, Computed, Index, SmallInteger, String, text
from sqlmodel import Field

from skill_arcade.storage.database.tables.base import (
    Table,
    commented,
    database_time_column,
    json_column,
    timestamp_column,
)

FLAG_CONDITIONS = {
    "dropped": "dropped_frames > 0.01 * steps",
    "late": "missed_ticks > 0.01 * steps",
    "latency": "coalesce(latency_p95_ms > 200, false)",
    "focus": "focus_losses > 0",
    "idle": "idle_seconds > 30",
    "slow": "coalesce(active_speed < 0.9, false)",
    "rejected": "incident IS NOT NULL",
    "quarantined": "quarantined_segments > 0",
    "duplicate": "is_duplicate",
}
"""Flags of quality to their conditions on the columns of `episode_measure`. A change needs a migration of `n_flags`."""
_N_FLAGS = " + ".join(f"({condition})::int" for condition in FLAG_CONDITIONS.values())


class EpisodeMeasure(Table, table=True):
    """Measures of an ended episode, computed once from its steps and events, for charts of many episodes."""

    __tablename__ = "episode_measure"
    __table_args__ = (Index(None, "game_id", "user_id"), Index(None, "seed", "actions_md5"))

    episode_id: UUID = Field(primary_key=True, foreign_key="episode.id", sa_column_kwargs=commented("episode"))
    user_id: str = Field(foreign_key="user.id", index=True, sa_column_kwargs=commented("player"))
    game_id: str = Field(
        foreign_key="game.id", sa_column_kwargs=commented("present id of the game; former ids count for it")
    )
    variant: str = Field(sa_column_kwargs=commented("episode_variant.variant"))
    environment_id: str | None = Field(sa_column_kwargs=commented("Gymnasium id"))
    seed: int = Field(sa_column_kwargs=commented("episode.seed"))
    score: float = Field(sa_column_kwargs=commented("sum of rewards: the return"))
    steps: int = Field(sa_column_kwargs=commented("number of transitions"))
    status: str = Field(sa_column_kwargs=commented("won, lost or incomplete"))
    end_reason: str | None = Field(sa_column_kwargs=commented("episode.end_reason"))
    time_started: datetime = Field(sa_column=timestamp_column("episode.time_created, server wall clock"))
    time_ended: datetime = Field(sa_column=timestamp_column("episode.time_ended, server wall clock"))
    study: str | None = Field(sa_column_kwargs=commented("study; null: none"))
    arm: str | None = Field(sa_column_kwargs=commented("condition of the study; null: none"))
    mode: str = Field(sa_column_kwargs=commented("streamed, lockstep or mixed"))
    device: str | None = Field(sa_column=Column(String, comment="most frequent input device; null: no input"))
    latency_p50_ms: float | None = Field(sa_column_kwargs=commented("median of input_latency.latency_ms"))
    latency_p95_ms: float | None = Field(sa_column_kwargs=commented("95th percentile of input_latency.latency_ms"))
    dropped_frames: int = Field(sa_column_kwargs=commented("number of observations acted on and never painted"))
    missed_ticks: int = Field(sa_column_kwargs=commented("number of ticks skipped because a step was late"))
    focus_losses: int = Field(sa_column_kwargs=commented("number of times the page lost the focus or was hidden"))
    idle_seconds: float = Field(sa_column_kwargs=commented("longest time without input, seconds, server clock"))
    paused_seconds: float = Field(sa_column_kwargs=commented("episode_pace.paused_seconds"))
    active_speed: float | None = Field(sa_column_kwargs=commented("episode_pace.active_speed"))
    incident: str | None = Field(sa_column_kwargs=commented("episode_summary.incident"))
    quarantined_segments: int = Field(sa_column_kwargs=commented("number of segments that storage rejected"))
    actions_md5: str | None = Field(sa_column_kwargs=commented("MD5 of the sequence of actions; null: no steps"))
    actions: dict[str, Any] = Field(sa_column=json_column("action to number of steps"))
    entropy_bits: float | None = Field(sa_column_kwargs=commented("entropy of the actions, bits; null: no steps"))
    hold_steps: float | None = Field(sa_column_kwargs=commented("mean length of runs of one action, steps"))
    reaction_ms: float | None = Field(
        sa_column_kwargs=commented("median of reaction_time.stimulus_ms, first press after each stimulus; null: none")
    )
    time_measured: datetime = Field(sa_column=database_time_column("time of the computation, database clock"))
    is_duplicate: bool = Field(
        default=False,
        sa_column=Column(
            Boolean,
            nullable=False,
            server_default=text("false"),
            comment="true: at least 100 steps, and the same seed and actions as an earlier episode of the game",
        ),
    )
    n_flags: int = Field(
        sa_column=Column(
            SmallInteger,
            Computed(f"({_N_FLAGS})::smallint", persisted=True),
            nullable=False,
            comment="number of flags of quality, without mismatch",
        )
    )


class Death(Table, table=True):
    """A death in an episode, and where in the picture; the certifier finds it, if the game tells."""

    episode_id: UUID = Field(primary_key=True, foreign_key="episode.id", sa_column_kwargs=commented("episode"))
    frame: int = Field(
        primary_key=True, sa_column_kwargs=commented("0-based index of the last observation before the death")
    )
    x: float = Field(sa_column_kwargs=commented("place from the left edge of the picture (0) to the right one (1)"))
    y: float = Field(sa_column_kwargs=commented("place from the upper edge of the picture (0) to the lower one (1)"))
    screen: int = Field(sa_column_kwargs=commented("number of the screen in a game with several; otherwise 0"))
    columns: int | None = Field(sa_column_kwargs=commented("number of columns of a level of cells; null: pixels"))
    rows: int | None = Field(sa_column_kwargs=commented("number of rows of a level of cells; null: pixels"))
