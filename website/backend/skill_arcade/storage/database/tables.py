"""The tables. Column comments become the data dictionary; times name their clock and unit."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Enum, Integer, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class EpisodeStatus(StrEnum):
    """How an episode stands. `incomplete`: still running, or left before its end."""

    incomplete = "incomplete"
    won = "won"
    lost = "lost"


def _now(comment: str, *, updates: bool = False) -> Column[datetime]:
    return Column(
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        onupdate=func.now() if updates else None,
        comment=comment,
    )


def _at(comment: str, *, nullable: bool = True) -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=nullable, comment=comment)


def _us(comment: str, *, nullable: bool = True) -> Column[int]:
    return Column(BigInteger, nullable=nullable, comment=comment)


def _json(comment: str, *, nullable: bool = False) -> Column[Any]:
    return Column(JSONB, nullable=nullable, server_default=None if nullable else text("'{}'"), comment=comment)


class User(SQLModel, table=True):
    """A person who plays."""

    id: str = Field(
        primary_key=True, sa_column_kwargs={"comment": "keyed hash of the e-mail; no guess without the server's key"}
    )
    email: str | None = Field(None, unique=True, sa_column_kwargs={"comment": "normalised e-mail; null once erased"})
    time_created: datetime = Field(sa_column=_now("first sign-in, database clock"))
    time_updated: datetime = Field(sa_column=_now("last change, database clock", updates=True))


class Game(SQLModel, table=True):
    """A game of the catalogue, as its manifest stood at the last server start."""

    id: str = Field(primary_key=True, sa_column_kwargs={"comment": "the manifest's file name without .yaml"})
    config: dict[str, Any] = Field(sa_column=_json("the whole manifest"))
    time_created: datetime = Field(sa_column=_now("first seen, database clock"))
    time_updated: datetime = Field(sa_column=_now("last change of the manifest, database clock", updates=True))


class Episode(SQLModel, table=True):
    """One play of a game, from `reset(seed=...)` to its end, with all that a bit-exact re-run needs."""

    id: UUID = Field(primary_key=True, sa_column_kwargs={"comment": "UUID version 7: sorts by start"})
    user_id: str = Field(foreign_key="user.id", index=True, sa_column_kwargs={"comment": "who played"})
    game_id: str = Field(foreign_key="game.id", index=True, sa_column_kwargs={"comment": "what was played"})
    seed: int = Field(sa_column=_us("argument of reset(seed=...), 1 to 2^31-1", nullable=False))
    n_steps: int = Field(0, sa_column_kwargs={"comment": "transitions delivered so far; final once ended"})
    status: EpisodeStatus = Field(
        EpisodeStatus.incomplete,
        sa_column=Column(
            Enum(EpisodeStatus, name="episode_status"),
            nullable=False,
            server_default="incomplete",
            comment="incomplete until an end that the manifest calls won or lost",
        ),
    )
    score: float = Field(0.0, sa_column_kwargs={"comment": "sum of rewards so far"})
    end_reason: str | None = Field(
        None,
        sa_column_kwargs={
            "comment": "terminated, truncated, left, disconnected, server-stopped, crashed, ...; null while running"
        },
    )
    environment: dict[str, Any] = Field(sa_column=_json("id, kwargs, spec and package versions: what a re-run needs"))
    provenance: dict[str, Any] = Field(
        sa_column=_json("package version and commit, manifest hash, browser, screen, device")
    )
    reset_info: dict[str, Any] = Field(sa_column=_json("info returned by reset"))
    time_created: datetime = Field(sa_column=_at("reset returned, server wall clock", nullable=False))
    time_ended: datetime | None = Field(None, sa_column=_at("end of the episode, server wall clock"))
    time_updated: datetime = Field(sa_column=_now("last delivery, database clock", updates=True))


class Transition(SQLModel, table=True):
    """One step: `obs`, action, reward, `next_obs`. Observation n of an episode is the one before step n."""

    __table_args__ = (UniqueConstraint("episode_id", "step"),)

    id: UUID = Field(primary_key=True, sa_column_kwargs={"comment": "episode id + step + 1"})
    episode_id: UUID = Field(foreign_key="episode.id", sa_column_kwargs={"comment": "the episode"})
    step: int = Field(sa_column_kwargs={"comment": "0-based index in the episode"})
    obs_key: str = Field(
        sa_column_kwargs={"comment": "where the observation acted on is: SEGMENT/INDEX, see docs/data.md"}
    )
    action: int = Field(sa_column_kwargs={"comment": "index in the environment's action space"})
    reward: float = Field(sa_column_kwargs={"comment": "as returned by step"})
    next_obs_key: str = Field(sa_column_kwargs={"comment": "obs_key of the next step"})
    terminated: bool = Field(sa_column_kwargs={"comment": "as returned by step"})
    truncated: bool = Field(sa_column_kwargs={"comment": "as returned by step"})
    info: dict[str, Any] | None = Field(
        None, sa_column=_json("kept part of info; null: as in the step before", nullable=True)
    )
    time_created: datetime = Field(sa_column=_at("step returned, server wall clock", nullable=False))
    server_us: int = Field(
        sa_column=_us("step began: microseconds since the episode's start, server monotonic clock", nullable=False)
    )
    late_us: int | None = Field(
        None,
        sa_column=Column(
            Integer, nullable=True, comment="step began this long after its deadline; null when turn-based"
        ),
    )
    shown_us: int | None = Field(
        None,
        sa_column=_us(
            "the obs acted on was painted: browser clock, microseconds since its time origin; null: never shown"
        ),
    )
    input_us: int | None = Field(
        None, sa_column=_us("the input in force happened: browser clock, microseconds; null: none yet")
    )
    input_received_us: int | None = Field(
        None, sa_column=_us("that input arrived: microseconds since the episode's start, server monotonic clock")
    )
    input_frame: int | None = Field(
        None,
        sa_column=Column(
            Integer, nullable=True, comment="observation index on the player's screen when that input happened"
        ),
    )


class Segment(SQLModel, table=True):
    """A delivered piece of an episode. Its row is written in the transaction of its transitions."""

    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs={"comment": "the episode"})
    number: int = Field(primary_key=True, sa_column_kwargs={"comment": "0-based; SEGMENT of obs_key"})
    first_step: int = Field(sa_column_kwargs={"comment": "step of its first transition"})
    n_steps: int = Field(sa_column_kwargs={"comment": "transitions in it"})
    n_frames: int = Field(sa_column_kwargs={"comment": "frames in its object"})
    n_bytes: int = Field(sa_column=_us("size of its objects", nullable=False))
    objects: dict[str, Any] = Field(sa_column=_json("object key to SHA-256, hexadecimal"))
    time_delivered: datetime = Field(sa_column=_now("database clock"))


class Event(SQLModel, table=True):
    """Something that happened in an episode beside its steps: raw input, focus, pause, clock sample, ..."""

    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs={"comment": "the episode"})
    number: int = Field(primary_key=True, sa_column_kwargs={"comment": "0-based order of arrival"})
    kind: str = Field(sa_column_kwargs={"comment": "input, focus, pause, resume, detach, attach, clock, skipped, ..."})
    server_us: int = Field(
        sa_column=_us("arrival: microseconds since the episode's start, server monotonic clock", nullable=False)
    )
    client_us: int | None = Field(None, sa_column=_us("it happened: browser clock, microseconds since its time origin"))
    step: int = Field(sa_column_kwargs={"comment": "steps taken when it arrived"})
    data: dict[str, Any] = Field(sa_column=_json("what is particular to the kind"))
