"""Tables of what was recorded: games, episodes, their steps, segments and events."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Enum, Index, text
from sqlalchemy import Table as SQLTable
from sqlmodel import Field

from skill_arcade.storage.database.tables.base import (
    Table,
    bigint_column,
    commented,
    database_time_column,
    json_column,
    timestamp_column,
)
from skill_arcade.storage.database.transition_columns import TRANSITION


class EpisodeStatus(StrEnum):
    """Status of an episode. `incomplete` means still running, or ended without a result."""

    incomplete = "incomplete"
    won = "won"
    lost = "lost"


class Game(Table, table=True):
    """A game of the catalogue, with its manifest at the last server start."""

    id: str = Field(
        primary_key=True,
        sa_column_kwargs=commented("name of the manifest: of its file without .yaml, or in the file of a family"),
    )
    config: dict[str, Any] = Field(sa_column=json_column("complete manifest"))
    alias_of: str | None = Field(
        None,
        foreign_key="game.id",
        sa_column_kwargs=commented("game that this became an option value of; null: a game of its own"),
    )
    alias_options: dict[str, str] = Field(
        sa_column=json_column("options of `alias_of` that give this game; empty: its defaults, or a game of its own")
    )
    time_created: datetime = Field(
        sa_column=database_time_column("time of the first server start with this game, database clock")
    )
    time_updated: datetime = Field(
        sa_column=database_time_column("time of the manifest's last change, database clock", updates=True)
    )


class Episode(Table, table=True):
    """One episode of a game, from `reset(seed=...)` to its end, with all data for a bit-exact re-run."""

    # Ids sort by start time, so each index serves a list of one user, game or status, newest first.
    __table_args__ = (
        Index(None, "user_id", "id"),
        Index(None, "game_id", "id"),
        Index(None, "status", "id"),
        Index(None, "consent_id"),
        # Few rows: the reaper looks for running episodes of servers that are lost.
        Index("episode_running_idx", "server_id", postgresql_where=text("time_ended IS NULL")),
        # An agent may play more than all people: each of the two is read without the rows of the other.
        Index("episode_of_agent_idx", "agent_version_id", "id", postgresql_where=text("agent_version_id IS NOT NULL")),
        Index("episode_of_people_idx", "game_id", "id", postgresql_where=text("agent_version_id IS NULL")),
    )

    id: UUID = Field(primary_key=True, sa_column_kwargs=commented("UUID version 7; sorts by start time"))
    user_id: str = Field(foreign_key="user.id", sa_column_kwargs=commented("player"))
    game_id: str = Field(foreign_key="game.id", sa_column_kwargs=commented("game"))
    seed: int = Field(sa_column=bigint_column("argument of reset(seed=...), 1 to 2^31-1"))
    n_steps: int = Field(
        0,
        sa_column_kwargs=commented(
            "number of stored transitions; final once the episode has ended", server_default="0"
        ),
    )
    status: EpisodeStatus = Field(
        EpisodeStatus.incomplete,
        sa_column=Column(
            Enum(EpisodeStatus, name="episode_status"),
            nullable=False,
            server_default="incomplete",
            comment="won or lost by the manifest's rule; incomplete: still running, or ended without a result",
        ),
    )
    score: float = Field(0.0, sa_column_kwargs=commented("sum of the stored rewards", server_default="0"))
    end_reason: str | None = Field(
        None,
        sa_column_kwargs=commented(
            "reason of the end: terminated, truncated, left, disconnected, server-stopped, crashed, server-lost, ...; "
            "null while running"
        ),
    )
    environment: dict[str, Any] = Field(
        sa_column=json_column("id, kwargs, specification and package versions, for a re-run")
    )
    provenance: dict[str, Any] = Field(
        sa_column=json_column("version and commit of the server, hash of the manifest, browser, screen")
    )
    reset_info: dict[str, Any] = Field(sa_column=json_column("info returned by reset()"))
    consent_id: UUID | None = Field(
        None,
        foreign_key="consent.id",
        sa_column_kwargs=commented("consent that it was recorded under; null: no consent on record"),
    )
    agent_version_id: UUID | None = Field(
        None,
        foreign_key="agent_version.id",
        sa_column_kwargs=commented("version of the agent that played it; null: a person, or another program"),
    )
    server_id: UUID | None = Field(
        None, sa_column_kwargs=commented("server that plays or played it; null: an earlier version, or no server")
    )
    fence: int = Field(
        0,
        sa_column=bigint_column(
            "fence of the lease under which a server continued it last; segments of lower ones are refused. "
            "0: its first server plays it",
            server_default="0",
        ),
    )
    time_handed_over: datetime | None = Field(
        None,
        sa_column=timestamp_column(
            "time at which its server had handed it over, database clock; null: no server is awaited", nullable=True
        ),
    )
    time_created: datetime = Field(sa_column=timestamp_column("time at which reset() returned, server wall clock"))
    time_ended: datetime | None = Field(
        None, sa_column=timestamp_column("time of the end, server wall clock; null while running", nullable=True)
    )
    time_updated: datetime = Field(
        sa_column=database_time_column("time of the last upload, database clock", updates=True)
    )


# `id` is derived from the key and has no index (decisions/0003). An index would take a fifth of the table's size,
# because Postgres leaves its pages half empty if several episodes grow at the same time. The migrations order the
# columns by width, so that Postgres adds no padding to its rows.
Transition = SQLTable(
    "transition",
    Table.metadata,
    *(column.to_sql() for column in TRANSITION),
    comment="One step: `obs`, action, reward, `next_obs`. Observation i of an episode is the one before step i.",
)


class Segment(Table, table=True):
    """An uploaded segment of an episode. Its row is written in the same transaction as its transitions."""

    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs=commented("episode"))
    number: int = Field(
        primary_key=True,
        sa_column_kwargs=commented("0-based number of the segment in the episode; SEGMENT of obs_key"),
    )
    first_step: int = Field(sa_column_kwargs=commented("step of the segment's first transition"))
    n_steps: int = Field(sa_column_kwargs=commented("number of transitions"))
    n_frames: int = Field(sa_column_kwargs=commented("number of frames"))
    n_bytes: int = Field(sa_column=bigint_column("total size of the objects, bytes"))
    objects: dict[str, Any] = Field(sa_column=json_column("object key to SHA-256 in hexadecimal"))
    n_events: int | None = Field(
        None, sa_column_kwargs=commented("number of events; null: uploaded by an older version")
    )
    rows_sha256: str | None = Field(
        None,
        sa_column_kwargs=commented(
            "SHA-256 of the uploaded transitions (without shown_us, which may change later) and events; "
            "null: uploaded by an older version"
        ),
    )
    time_delivered: datetime = Field(sa_column=database_time_column("time of the upload, database clock"))


class Quarantine(Table, table=True):
    """A segment that storage rejects for its content. Its file is quarantined, so its steps are missing."""

    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs=commented("episode"))
    number: int = Field(primary_key=True, sa_column_kwargs=commented("number of the segment"))
    time_created: datetime = Field(sa_column=database_time_column("time of the quarantine, database clock"))
    n_steps: int | None = Field(None, sa_column_kwargs=commented("number of steps; null: the segment cannot be parsed"))
    operation: str = Field(sa_column_kwargs=commented("failed operation: encode, objects or rows"))
    code: str = Field(sa_column_kwargs=commented("SQLSTATE or HTTP status of the error; empty: the error has none"))
    reason: str = Field(sa_column_kwargs=commented("class and text of the error"))
    version: str = Field(sa_column_kwargs=commented("version of the server that quarantined the segment"))


class Event(Table, table=True):
    """An event of an episode other than a step: raw input, focus change, pause, clock sample, ..."""

    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs=commented("episode"))
    number: int = Field(
        primary_key=True, sa_column_kwargs=commented("0-based number of the event in the episode, in order of arrival")
    )
    kind: str = Field(
        sa_column_kwargs=commented(
            "kind: input, focus, pause, resume, detach, attach, clock, late, left-out, server-lost, moved, ...; see "
            "the data dictionary"
        )
    )
    server_us: int = Field(
        sa_column=bigint_column("arrival at the server: microseconds since the episode's start, server monotonic clock")
    )
    client_us: int | None = Field(
        None,
        sa_column=bigint_column(
            "event in the browser: microseconds since the time origin, browser clock; null: not from the browser",
            nullable=True,
        ),
    )
    step: int = Field(sa_column_kwargs=commented("number of steps taken before the arrival"))
    data: dict[str, Any] = Field(sa_column=json_column("fields of the kind; see the data dictionary"))
