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


def _database_time_column(comment: str, *, updates: bool = False) -> Column[datetime]:
    return Column(
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        onupdate=func.now() if updates else None,
        comment=comment,
    )


def _timestamp_column(comment: str, *, nullable: bool = False) -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=nullable, comment=comment)


def _bigint_column(comment: str, *, nullable: bool = False) -> Column[int]:
    return Column(BigInteger, nullable=nullable, comment=comment)


def _json_column(comment: str, *, nullable: bool = False) -> Column[Any]:
    # none_as_null: None is SQL's NULL, not JSON's null.
    default = None if nullable else text("'{}'::jsonb")
    return Column(JSONB(none_as_null=True), nullable=nullable, server_default=default, comment=comment)


def _commented(comment: str, **more: str) -> dict[str, str]:
    return {"comment": comment, **more}


class User(Table, table=True):
    """A person who plays."""

    id: str = Field(
        primary_key=True,
        sa_column_kwargs=_commented("keyed hash of the e-mail; no guess without the server's key"),
    )
    email: str | None = Field(None, unique=True, sa_column_kwargs=_commented("normalised e-mail; null once erased"))
    time_created: datetime = Field(sa_column=_database_time_column("first sign-in, database clock"))
    time_updated: datetime = Field(sa_column=_database_time_column("last change, database clock", updates=True))


class Game(Table, table=True):
    """A game of the catalogue, as its manifest stood at the last server start."""

    id: str = Field(primary_key=True, sa_column_kwargs=_commented("the manifest's file name without .yaml"))
    config: dict[str, Any] = Field(sa_column=_json_column("the whole manifest"))
    time_created: datetime = Field(sa_column=_database_time_column("first seen, database clock"))
    time_updated: datetime = Field(
        sa_column=_database_time_column("last change of the manifest, database clock", updates=True)
    )


class Episode(Table, table=True):
    """One play of a game, from `reset(seed=...)` to its end, with all that a bit-exact re-run needs."""

    # Ids sort by start, so each of these serves a listing that is newest first, page by page.
    __table_args__ = (Index(None, "user_id", "id"), Index(None, "game_id", "id"), Index(None, "status", "id"))

    id: UUID = Field(primary_key=True, sa_column_kwargs=_commented("UUID version 7: sorts by start"))
    user_id: str = Field(foreign_key="user.id", sa_column_kwargs=_commented("who played"))
    game_id: str = Field(foreign_key="game.id", sa_column_kwargs=_commented("what was played"))
    seed: int = Field(sa_column=_bigint_column("argument of reset(seed=...), 1 to 2^31-1"))
    n_steps: int = Field(
        0, sa_column_kwargs=_commented("transitions delivered so far; final once ended", server_default="0")
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
    score: float = Field(0.0, sa_column_kwargs=_commented("sum of rewards so far", server_default="0"))
    end_reason: str | None = Field(
        None,
        sa_column_kwargs=_commented(
            "terminated, truncated, left, disconnected, server-stopped, crashed, ...; null while running"
        ),
    )
    environment: dict[str, Any] = Field(
        sa_column=_json_column("id, kwargs, spec and package versions: what a re-run needs")
    )
    provenance: dict[str, Any] = Field(
        sa_column=_json_column("package version and commit, manifest hash, browser, screen, device")
    )
    reset_info: dict[str, Any] = Field(sa_column=_json_column("info returned by reset"))
    time_created: datetime = Field(sa_column=_timestamp_column("reset returned, server wall clock"))
    time_ended: datetime | None = Field(
        None, sa_column=_timestamp_column("end of the episode, server wall clock", nullable=True)
    )
    time_updated: datetime = Field(sa_column=_database_time_column("last delivery, database clock", updates=True))


class Transition(Table, table=True):
    """One step: `obs`, action, reward, `next_obs`. Observation n of an episode is the one before step n."""

    # `id` follows from the key and has no index of its own (decisions/0003): a fifth of the table, since Postgres
    # leaves pages half empty where several episodes grow at once.
    id: UUID = Field(sa_column_kwargs=_commented("episode_id + step + 1; find a row by those two, they are the key"))
    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs=_commented("the episode"))
    step: int = Field(primary_key=True, sa_column_kwargs=_commented("0-based index in the episode"))
    action: int = Field(sa_column_kwargs=_commented("index in the environment's action space"))
    reward: float = Field(sa_column=Column(Float, nullable=False, comment="as returned by step"))
    time_created: datetime = Field(sa_column=_timestamp_column("step returned, server wall clock"))
    server_us: int = Field(
        sa_column=_bigint_column("step began: microseconds since the episode's start, server monotonic clock")
    )
    shown_us: int | None = Field(
        None,
        sa_column=_bigint_column(
            "the obs acted on was painted: browser clock, microseconds since its origin; null: never shown",
            nullable=True,
        ),
    )
    input_us: int | None = Field(
        None,
        sa_column=_bigint_column(
            "the input in force happened: browser clock, microseconds since its time origin; null: none yet",
            nullable=True,
        ),
    )
    input_received_us: int | None = Field(
        None,
        sa_column=_bigint_column(
            "that input arrived: microseconds since the episode's start, server monotonic clock",
            nullable=True,
        ),
    )
    stepped_us: int | None = Field(
        None,
        sa_column=_bigint_column(
            "lockstep: the page took this step, by the browser's clock, microseconds since its time origin; "
            "null: the server paced it",
            nullable=True,
        ),
    )
    late_us: int | None = Field(
        None,
        sa_column_kwargs=_commented(
            "step began this many microseconds after its deadline; null when turn-based or in lockstep"
        ),
    )
    input_frame: int | None = Field(
        None, sa_column_kwargs=_commented("observation index on the player's screen when that input happened")
    )
    terminated: bool = Field(sa_column_kwargs=_commented("as returned by step"))
    truncated: bool = Field(sa_column_kwargs=_commented("as returned by step"))
    obs_key: str = Field(sa_column_kwargs=_commented("where the observation acted on is: SEGMENT/INDEX in it"))
    next_obs_key: str = Field(sa_column_kwargs=_commented("obs_key of the next step"))
    info: dict[str, Any] | None = Field(
        None, sa_column=_json_column("kept part of info; null: as in the step before", nullable=True)
    )


class Segment(Table, table=True):
    """A delivered piece of an episode. Its row is written in the transaction of its transitions."""

    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs=_commented("the episode"))
    number: int = Field(primary_key=True, sa_column_kwargs=_commented("0-based; SEGMENT of obs_key"))
    first_step: int = Field(sa_column_kwargs=_commented("step of its first transition"))
    n_steps: int = Field(sa_column_kwargs=_commented("transitions in it"))
    n_frames: int = Field(sa_column_kwargs=_commented("frames in its object"))
    n_bytes: int = Field(sa_column=_bigint_column("size of its objects"))
    objects: dict[str, Any] = Field(sa_column=_json_column("object key to SHA-256, hexadecimal"))
    n_events: int | None = Field(
        None, sa_column_kwargs=_commented("events in it; null: delivered before this was kept")
    )
    rows_sha256: str | None = Field(
        None,
        sa_column_kwargs=_commented(
            "SHA-256 of its transitions (without shown_us, which comes later) and events as they were delivered; "
            "null: before this was kept"
        ),
    )
    time_delivered: datetime = Field(sa_column=_database_time_column("database clock"))


class Quarantine(Table, table=True):
    """A segment that storage rejects for its content. It is set aside whole; its steps are missing from the episode."""

    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs=_commented("the episode"))
    number: int = Field(primary_key=True, sa_column_kwargs=_commented("number of the segment"))
    time_created: datetime = Field(sa_column=_database_time_column("quarantined, database clock"))
    n_steps: int | None = Field(None, sa_column_kwargs=_commented("steps in it; null: the segment cannot be parsed"))
    operation: str = Field(sa_column_kwargs=_commented("what failed: encode, objects or rows"))
    code: str = Field(sa_column_kwargs=_commented("SQLSTATE or HTTP status; empty: none"))
    reason: str = Field(sa_column_kwargs=_commented("class and text of the error"))
    version: str = Field(sa_column_kwargs=_commented("version of the arcade that rejected it"))


class CertificateResult(StrEnum):
    """What a re-run of an episode found."""

    certified = "certified"
    mismatch = "mismatch"
    irreproducible = "irreproducible"
    damaged = "damaged"


class Certificate(Table, table=True):
    """One re-run of a finished episode from what is kept, compared with what is kept. The newest one counts."""

    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs=_commented("the episode"))
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
        None, sa_column_kwargs=_commented("first step whose outcome differs; -1: the reset; null: none")
    )
    reason: str = Field(sa_column_kwargs=_commented("in words; empty when certified"))
    n_steps: int = Field(sa_column_kwargs=_commented("steps that were compared"))
    seconds: float = Field(sa_column=Column(Float, nullable=False, comment="time that the re-run took"))
    versions: dict[str, Any] = Field(sa_column=_json_column("packages, Python and machine of the re-run"))


class Event(Table, table=True):
    """Something that happened in an episode beside its steps: raw input, focus, pause, clock sample, ..."""

    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs=_commented("the episode"))
    number: int = Field(primary_key=True, sa_column_kwargs=_commented("0-based order of arrival"))
    kind: str = Field(
        sa_column_kwargs=_commented(
            "input, focus, pause, resume, detach, attach, clock, late, left-out, ...; see the data dictionary"
        )
    )
    server_us: int = Field(
        sa_column=_bigint_column("arrival: microseconds since the episode's start, server monotonic clock")
    )
    client_us: int | None = Field(
        None,
        sa_column=_bigint_column("it happened: browser clock, microseconds since its time origin", nullable=True),
    )
    step: int = Field(sa_column_kwargs=_commented("steps taken when it arrived"))
    data: dict[str, Any] = Field(sa_column=_json_column("what is particular to the kind"))


class Preference(Table, table=True):
    """How a player likes to play, as the page keeps it. No researcher reads it."""

    user_id: str = Field(
        primary_key=True, foreign_key="user.id", ondelete="CASCADE", sa_column_kwargs=_commented("whose")
    )
    settings: dict[str, Any] = Field(
        sa_column=_json_column("keys of each game, hand, favourites, ...: what PUT /me/preferences last took")
    )
    time_updated: datetime = Field(sa_column=_database_time_column("last change, database clock", updates=True))


class BaselineSource(Table, table=True):
    """Where published scores come from. Figures never change: another version is another source."""

    __tablename__ = "baseline_source"

    id: str = Field(primary_key=True, sa_column_kwargs=_commented("short name of the source"))
    version: str = Field(sa_column_kwargs=_commented("commit or table that the figures were taken from"))
    citation: str = Field(sa_column_kwargs=_commented("what to cite"))
    protocol: str = Field(sa_column_kwargs=_commented("how these scores came about"))


class Baseline(Table, table=True):
    """A published score: return 0 and 1 of the normalised scale."""

    source_id: str = Field(
        foreign_key="baseline_source.id", primary_key=True, sa_column_kwargs=_commented("the source")
    )
    environment_id: str = Field(primary_key=True, sa_column_kwargs=_commented("Gymnasium's id: ALE/Breakout-v5"))
    random: float = Field(sa_column_kwargs=_commented("mean return of a random agent"))
    human: float = Field(sa_column_kwargs=_commented("return of a person, as the source has it"))


class Erasure(Table, table=True):
    """What is left of an account that its player erased: that it was there, and how much was played on it."""

    user_id: str = Field(
        primary_key=True,
        sa_column_kwargs=_commented("the id that it had; never used again, so what arrives late is dropped"),
    )
    time_created: datetime = Field(sa_column=_database_time_column("erasure asked for, database clock"))
    time_erased: datetime | None = Field(
        None,
        sa_column=_timestamp_column("all rows and objects were gone, database clock; null: under way", nullable=True),
    )
    games: dict[str, Any] = Field(sa_column=_json_column("game id to the episodes and steps of it that were erased"))


for _model in (
    User,
    Game,
    Episode,
    Transition,
    Segment,
    Event,
    Certificate,
    Quarantine,
    Preference,
    BaselineSource,
    Baseline,
    Erasure,
):
    Table.metadata.tables[str(_model.__tablename__)].comment = _model.__doc__
