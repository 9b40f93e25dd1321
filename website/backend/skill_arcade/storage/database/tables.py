"""The tables. Comments become the data dictionary (`skill-arcade schema`); times name their clock and unit.

Columns of a transition are ordered by width, so that none needs padding: there are many of them.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Enum,
    Float,
    Index,
    MetaData,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class Table(SQLModel):
    """Base of the tables: their metadata, and constraints whose names do not depend on the database."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ck": "%(table_name)s_%(constraint_name)s_check",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
            "pk": "%(table_name)s_pkey",
        }
    )


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


def _at(comment: str, *, nullable: bool = False) -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=nullable, comment=comment)


def _us(comment: str, *, nullable: bool = False) -> Column[int]:
    return Column(BigInteger, nullable=nullable, comment=comment)


def _json(comment: str, *, nullable: bool = False) -> Column[Any]:
    # none_as_null: None is SQL's NULL, not JSON's null.
    default = None if nullable else text("'{}'::jsonb")
    return Column(JSONB(none_as_null=True), nullable=nullable, server_default=default, comment=comment)


def _told(comment: str, **more: str) -> dict[str, str]:
    return {"comment": comment, **more}


class User(Table, table=True):
    """A person who plays."""

    id: str = Field(
        primary_key=True,
        sa_column_kwargs=_told("keyed hash of the e-mail; no guess without the server's key"),
    )
    email: str | None = Field(None, unique=True, sa_column_kwargs=_told("normalised e-mail; null once erased"))
    time_created: datetime = Field(sa_column=_now("first sign-in, database clock"))
    time_updated: datetime = Field(sa_column=_now("last change, database clock", updates=True))


class Game(Table, table=True):
    """A game of the catalogue, as its manifest stood at the last server start."""

    id: str = Field(primary_key=True, sa_column_kwargs=_told("the manifest's file name without .yaml"))
    config: dict[str, Any] = Field(sa_column=_json("the whole manifest"))
    time_created: datetime = Field(sa_column=_now("first seen, database clock"))
    time_updated: datetime = Field(sa_column=_now("last change of the manifest, database clock", updates=True))


class Episode(Table, table=True):
    """One play of a game, from `reset(seed=...)` to its end, with all that a bit-exact re-run needs."""

    # Ids sort by start, so each of these serves a listing that is newest first, page by page.
    __table_args__ = (Index(None, "user_id", "id"), Index(None, "game_id", "id"), Index(None, "status", "id"))

    id: UUID = Field(primary_key=True, sa_column_kwargs=_told("UUID version 7: sorts by start"))
    user_id: str = Field(foreign_key="user.id", sa_column_kwargs=_told("who played"))
    game_id: str = Field(foreign_key="game.id", sa_column_kwargs=_told("what was played"))
    seed: int = Field(sa_column=_us("argument of reset(seed=...), 1 to 2^31-1"))
    n_steps: int = Field(
        0, sa_column_kwargs=_told("transitions delivered so far; final once ended", server_default="0")
    )
    status: EpisodeStatus = Field(
        EpisodeStatus.incomplete,
        sa_column=Column(
            Enum(EpisodeStatus, name="episode_status"),
            nullable=False,
            server_default="incomplete",
            comment="incomplete until an end that the manifest calls won or lost",
        ),
    )
    score: float = Field(0.0, sa_column_kwargs=_told("sum of rewards so far", server_default="0"))
    end_reason: str | None = Field(
        None,
        sa_column_kwargs=_told(
            "terminated, truncated, left, disconnected, server-stopped, crashed, ...; null while running"
        ),
    )
    environment: dict[str, Any] = Field(sa_column=_json("id, kwargs, spec and package versions: what a re-run needs"))
    provenance: dict[str, Any] = Field(
        sa_column=_json("package version and commit, manifest hash, browser, screen, device")
    )
    reset_info: dict[str, Any] = Field(sa_column=_json("info returned by reset"))
    time_created: datetime = Field(sa_column=_at("reset returned, server wall clock"))
    time_ended: datetime | None = Field(None, sa_column=_at("end of the episode, server wall clock", nullable=True))
    time_updated: datetime = Field(sa_column=_now("last delivery, database clock", updates=True))


class Transition(Table, table=True):
    """One step: `obs`, action, reward, `next_obs`. Observation n of an episode is the one before step n."""

    # `id` follows from the key and has no index of its own (decisions/0003): a fifth of the table, since Postgres
    # leaves pages half empty where several episodes grow at once.
    id: UUID = Field(sa_column_kwargs=_told("episode_id + step + 1; find a row by those two, they are the key"))
    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs=_told("the episode"))
    step: int = Field(primary_key=True, sa_column_kwargs=_told("0-based index in the episode"))
    action: int = Field(sa_column_kwargs=_told("index in the environment's action space"))
    reward: float = Field(sa_column=Column(Float, nullable=False, comment="as returned by step"))
    time_created: datetime = Field(sa_column=_at("step returned, server wall clock"))
    server_us: int = Field(sa_column=_us("step began: microseconds since the episode's start, server monotonic clock"))
    shown_us: int | None = Field(
        None,
        sa_column=_us(
            "the obs acted on was painted: browser clock, microseconds since its origin; null: never shown",
            nullable=True,
        ),
    )
    input_us: int | None = Field(
        None,
        sa_column=_us(
            "the input in force happened: browser clock, microseconds since its time origin; null: none yet",
            nullable=True,
        ),
    )
    input_received_us: int | None = Field(
        None,
        sa_column=_us(
            "that input arrived: microseconds since the episode's start, server monotonic clock",
            nullable=True,
        ),
    )
    stepped_us: int | None = Field(
        None,
        sa_column=_us(
            "lockstep: the page took this step, by the browser's clock, microseconds since its time origin; "
            "null: the server paced it",
            nullable=True,
        ),
    )
    late_us: int | None = Field(
        None,
        sa_column_kwargs=_told(
            "step began this many microseconds after its deadline; null when turn-based or in lockstep"
        ),
    )
    input_frame: int | None = Field(
        None, sa_column_kwargs=_told("observation index on the player's screen when that input happened")
    )
    terminated: bool = Field(sa_column_kwargs=_told("as returned by step"))
    truncated: bool = Field(sa_column_kwargs=_told("as returned by step"))
    obs_key: str = Field(sa_column_kwargs=_told("where the observation acted on is: SEGMENT/INDEX in it"))
    next_obs_key: str = Field(sa_column_kwargs=_told("obs_key of the next step"))
    info: dict[str, Any] | None = Field(
        None, sa_column=_json("kept part of info; null: as in the step before", nullable=True)
    )


class Segment(Table, table=True):
    """A delivered piece of an episode. Its row is written in the transaction of its transitions."""

    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs=_told("the episode"))
    number: int = Field(primary_key=True, sa_column_kwargs=_told("0-based; SEGMENT of obs_key"))
    first_step: int = Field(sa_column_kwargs=_told("step of its first transition"))
    n_steps: int = Field(sa_column_kwargs=_told("transitions in it"))
    n_frames: int = Field(sa_column_kwargs=_told("frames in its object"))
    n_bytes: int = Field(sa_column=_us("size of its objects"))
    objects: dict[str, Any] = Field(sa_column=_json("object key to SHA-256, hexadecimal"))
    n_events: int | None = Field(None, sa_column_kwargs=_told("events in it; null: delivered before this was kept"))
    rows_sha256: str | None = Field(
        None,
        sa_column_kwargs=_told(
            "SHA-256 of its transitions (without shown_us, which comes later) and events as they were delivered; "
            "null: before this was kept"
        ),
    )
    time_delivered: datetime = Field(sa_column=_now("database clock"))


class CertificateResult(StrEnum):
    """What a re-run of an episode found."""

    certified = "certified"
    mismatch = "mismatch"
    irreproducible = "irreproducible"
    damaged = "damaged"


class Certificate(Table, table=True):
    """One re-run of a finished episode from what is kept, compared with what is kept. The newest one counts."""

    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs=_told("the episode"))
    time_created: datetime = Field(
        sa_column=Column(
            DateTime(timezone=True),
            primary_key=True,
            nullable=False,
            server_default=func.now(),
            comment="end of the re-run, database clock",
        )
    )
    result: CertificateResult = Field(
        sa_column=Column(
            Enum(CertificateResult, name="certificate_result"),
            nullable=False,
            comment="certified, mismatch at step, irreproducible (differs from itself), or damaged",
        )
    )
    step: int | None = Field(
        None, sa_column_kwargs=_told("first step whose outcome differs; -1: the reset; null: none")
    )
    reason: str = Field(sa_column_kwargs=_told("in words; empty when certified"))
    n_steps: int = Field(sa_column_kwargs=_told("steps that were compared"))
    seconds: float = Field(sa_column=Column(Float, nullable=False, comment="time that the re-run took"))
    versions: dict[str, Any] = Field(sa_column=_json("packages, Python and machine of the re-run"))


class Event(Table, table=True):
    """Something that happened in an episode beside its steps: raw input, focus, pause, clock sample, ..."""

    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs=_told("the episode"))
    number: int = Field(primary_key=True, sa_column_kwargs=_told("0-based order of arrival"))
    kind: str = Field(
        sa_column_kwargs=_told(
            "input, focus, pause, resume, detach, attach, clock, late, left-out, ...; see the data dictionary"
        )
    )
    server_us: int = Field(sa_column=_us("arrival: microseconds since the episode's start, server monotonic clock"))
    client_us: int | None = Field(
        None, sa_column=_us("it happened: browser clock, microseconds since its time origin", nullable=True)
    )
    step: int = Field(sa_column_kwargs=_told("steps taken when it arrived"))
    data: dict[str, Any] = Field(sa_column=_json("what is particular to the kind"))


class Preference(Table, table=True):
    """How a player likes to play, as the page keeps it. No researcher reads it."""

    user_id: str = Field(primary_key=True, foreign_key="user.id", ondelete="CASCADE", sa_column_kwargs=_told("whose"))
    settings: dict[str, Any] = Field(
        sa_column=_json("keys of each game, hand, favourites, ...: what PUT /me/preferences last took")
    )
    time_updated: datetime = Field(sa_column=_now("last change, database clock", updates=True))


class BaselineSource(Table, table=True):
    """Where published scores come from. Figures never change: another version is another source."""

    __tablename__ = "baseline_source"

    id: str = Field(primary_key=True, sa_column_kwargs=_told("short name of the source"))
    version: str = Field(sa_column_kwargs=_told("commit or table that the figures were taken from"))
    citation: str = Field(sa_column_kwargs=_told("what to cite"))
    protocol: str = Field(sa_column_kwargs=_told("how these scores came about"))


class Baseline(Table, table=True):
    """A published score: return 0 and 1 of the normalised scale."""

    source_id: str = Field(foreign_key="baseline_source.id", primary_key=True, sa_column_kwargs=_told("the source"))
    environment_id: str = Field(primary_key=True, sa_column_kwargs=_told("Gymnasium's id: ALE/Breakout-v5"))
    random: float = Field(sa_column_kwargs=_told("mean return of a random agent"))
    human: float = Field(sa_column_kwargs=_told("return of a person, as the source has it"))


class Erasure(Table, table=True):
    """What is left of an account that its player erased: that it was there, and how much was played on it."""

    user_id: str = Field(
        primary_key=True,
        sa_column_kwargs=_told("the id that it had; never used again, so what arrives late is dropped"),
    )
    time_created: datetime = Field(sa_column=_now("erasure asked for, database clock"))
    time_erased: datetime | None = Field(
        None, sa_column=_at("all rows and objects were gone, database clock; null: under way", nullable=True)
    )
    games: dict[str, Any] = Field(sa_column=_json("game id to the episodes and steps of it that were erased"))


for _model in (
    User,
    Game,
    Episode,
    Transition,
    Segment,
    Event,
    Certificate,
    Preference,
    BaselineSource,
    Baseline,
    Erasure,
):
    Table.metadata.tables[str(_model.__tablename__)].comment = _model.__doc__
