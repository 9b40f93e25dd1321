"""The tables. Their comments are the data dictionary (`skill-arcade schema`); each time names its unit and clock.

The columns of `transition` are ordered by width, so that Postgres adds no padding to its rows.
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
    """Base class of the tables, with a naming convention that makes constraint names deterministic."""

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
    """Status of an episode. `incomplete` means still running, or ended without a result."""

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
    # With none_as_null, None is stored as SQL NULL and not as JSON null.
    default = None if nullable else text("'{}'::jsonb")
    return Column(JSONB(none_as_null=True), nullable=nullable, server_default=default, comment=comment)


def _commented(comment: str, **more: str) -> dict[str, str]:
    return {"comment": comment, **more}


class User(Table, table=True):
    """A player."""

    id: str = Field(
        primary_key=True,
        sa_column_kwargs=_commented("keyed hash of the e-mail; it cannot be computed without the server's key"),
    )
    email: str | None = Field(None, unique=True, sa_column_kwargs=_commented("normalised e-mail; null after erasure"))
    time_created: datetime = Field(sa_column=_database_time_column("time of the first sign-in, database clock"))
    time_updated: datetime = Field(
        sa_column=_database_time_column("time of the last change, database clock", updates=True)
    )


class Game(Table, table=True):
    """A game of the catalogue, with its manifest at the last server start."""

    id: str = Field(primary_key=True, sa_column_kwargs=_commented("file name of the manifest without .yaml"))
    config: dict[str, Any] = Field(sa_column=_json_column("complete manifest"))
    time_created: datetime = Field(
        sa_column=_database_time_column("time of the first server start with this game, database clock")
    )
    time_updated: datetime = Field(
        sa_column=_database_time_column("time of the manifest's last change, database clock", updates=True)
    )


class Episode(Table, table=True):
    """One episode of a game, from `reset(seed=...)` to its end, with all data for a bit-exact re-run."""

    # Ids sort by start time, so each index serves a list of one user, game or status, newest first.
    __table_args__ = (Index(None, "user_id", "id"), Index(None, "game_id", "id"), Index(None, "status", "id"))

    id: UUID = Field(primary_key=True, sa_column_kwargs=_commented("UUID version 7; sorts by start time"))
    user_id: str = Field(foreign_key="user.id", sa_column_kwargs=_commented("player"))
    game_id: str = Field(foreign_key="game.id", sa_column_kwargs=_commented("game"))
    seed: int = Field(sa_column=_bigint_column("argument of reset(seed=...), 1 to 2^31-1"))
    n_steps: int = Field(
        0,
        sa_column_kwargs=_commented(
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
    score: float = Field(0.0, sa_column_kwargs=_commented("sum of the stored rewards", server_default="0"))
    end_reason: str | None = Field(
        None,
        sa_column_kwargs=_commented(
            "reason of the end: terminated, truncated, left, disconnected, server-stopped, crashed, ...; "
            "null while running"
        ),
    )
    environment: dict[str, Any] = Field(
        sa_column=_json_column("id, kwargs, specification and package versions, for a re-run")
    )
    provenance: dict[str, Any] = Field(
        sa_column=_json_column("version and commit of the server, hash of the manifest, browser, screen")
    )
    reset_info: dict[str, Any] = Field(sa_column=_json_column("info returned by reset()"))
    time_created: datetime = Field(sa_column=_timestamp_column("time at which reset() returned, server wall clock"))
    time_ended: datetime | None = Field(
        None, sa_column=_timestamp_column("time of the end, server wall clock; null while running", nullable=True)
    )
    time_updated: datetime = Field(
        sa_column=_database_time_column("time of the last upload, database clock", updates=True)
    )


class Transition(Table, table=True):
    """One step: `obs`, action, reward, `next_obs`. Observation i of an episode is the one before step i."""

    # `id` is derived from the key and has no index (decisions/0003). An index would take a fifth of the table's size,
    # because Postgres leaves its pages half empty if several episodes grow at the same time.
    id: UUID = Field(sa_column_kwargs=_commented("episode_id + step + 1; not indexed, select by episode_id and step"))
    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs=_commented("episode"))
    step: int = Field(primary_key=True, sa_column_kwargs=_commented("0-based index of the step in the episode"))
    action: int = Field(sa_column_kwargs=_commented("index of the action in the environment's action space"))
    reward: float = Field(sa_column=Column(Float, nullable=False, comment="reward returned by step()"))
    time_created: datetime = Field(sa_column=_timestamp_column("time at which step() returned, server wall clock"))
    server_us: int = Field(
        sa_column=_bigint_column("start of step(): microseconds since the episode's start, server monotonic clock")
    )
    shown_us: int | None = Field(
        None,
        sa_column=_bigint_column(
            "paint of the observation acted on: microseconds since the time origin, browser clock; null: not painted",
            nullable=True,
        ),
    )
    input_us: int | None = Field(
        None,
        sa_column=_bigint_column(
            "input that determined the action: microseconds since the time origin, browser clock; null: no input yet",
            nullable=True,
        ),
    )
    input_received_us: int | None = Field(
        None,
        sa_column=_bigint_column(
            "arrival of that input: microseconds since the episode's start, server monotonic clock; null: no input yet",
            nullable=True,
        ),
    )
    stepped_us: int | None = Field(
        None,
        sa_column=_bigint_column(
            "lockstep: start of the step in the browser, microseconds since the time origin, browser clock; "
            "null: streamed",
            nullable=True,
        ),
    )
    late_us: int | None = Field(
        None,
        sa_column_kwargs=_commented("delay of the step after its deadline, microseconds; null: turn-based or lockstep"),
    )
    input_frame: int | None = Field(
        None,
        sa_column_kwargs=_commented(
            "index of the observation on the player's screen at that input; null: unknown, or no input yet"
        ),
    )
    terminated: bool = Field(sa_column_kwargs=_commented("terminated, returned by step()"))
    truncated: bool = Field(sa_column_kwargs=_commented("truncated, returned by step()"))
    obs_key: str = Field(
        sa_column_kwargs=_commented("observation acted on: SEGMENT/INDEX, the index within the segment")
    )
    next_obs_key: str = Field(sa_column_kwargs=_commented("observation after the step: obs_key of the next step"))
    info: dict[str, Any] | None = Field(
        None, sa_column=_json_column("stored keys of info; null: same as for the previous step", nullable=True)
    )


class Segment(Table, table=True):
    """An uploaded segment of an episode. Its row is written in the same transaction as its transitions."""

    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs=_commented("episode"))
    number: int = Field(
        primary_key=True,
        sa_column_kwargs=_commented("0-based number of the segment in the episode; SEGMENT of obs_key"),
    )
    first_step: int = Field(sa_column_kwargs=_commented("step of the segment's first transition"))
    n_steps: int = Field(sa_column_kwargs=_commented("number of transitions"))
    n_frames: int = Field(sa_column_kwargs=_commented("number of frames"))
    n_bytes: int = Field(sa_column=_bigint_column("total size of the objects, bytes"))
    objects: dict[str, Any] = Field(sa_column=_json_column("object key to SHA-256 in hexadecimal"))
    n_events: int | None = Field(
        None, sa_column_kwargs=_commented("number of events; null: uploaded by an older version")
    )
    rows_sha256: str | None = Field(
        None,
        sa_column_kwargs=_commented(
            "SHA-256 of the uploaded transitions (without shown_us, which may change later) and events; "
            "null: uploaded by an older version"
        ),
    )
    time_delivered: datetime = Field(sa_column=_database_time_column("time of the upload, database clock"))


class Quarantine(Table, table=True):
    """A segment that storage rejects for its content. Its file is quarantined, so its steps are missing."""

    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs=_commented("episode"))
    number: int = Field(primary_key=True, sa_column_kwargs=_commented("number of the segment"))
    time_created: datetime = Field(sa_column=_database_time_column("time of the quarantine, database clock"))
    n_steps: int | None = Field(
        None, sa_column_kwargs=_commented("number of steps; null: the segment cannot be parsed")
    )
    operation: str = Field(sa_column_kwargs=_commented("failed operation: encode, objects or rows"))
    code: str = Field(sa_column_kwargs=_commented("SQLSTATE or HTTP status of the error; empty: the error has none"))
    reason: str = Field(sa_column_kwargs=_commented("class and text of the error"))
    version: str = Field(sa_column_kwargs=_commented("version of the server that quarantined the segment"))


class CertificateResult(StrEnum):
    """Result of a re-run."""

    certified = "certified"
    mismatch = "mismatch"
    irreproducible = "irreproducible"
    damaged = "damaged"


class Certificate(Table, table=True):
    """The verdict of one re-run of a finished episode, compared with its recording. The newest one counts."""

    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs=_commented("episode"))
    time_created: datetime = Field(
        sa_column=Column(
            DateTime(timezone=True),
            primary_key=True,
            nullable=False,
            server_default=func.now(),
            comment="time of the re-run's end, database clock",
        )
    )
    result: CertificateResult = Field(
        sa_column=Column(
            Enum(CertificateResult, name="certificate_result"),
            nullable=False,
            comment="certified (identical), mismatch, irreproducible (two re-runs differ) or damaged recording",
        )
    )
    step: int | None = Field(
        None, sa_column_kwargs=_commented("first step that differs; -1: the reset differs; null: no step differs")
    )
    reason: str = Field(sa_column_kwargs=_commented("explanation in English; empty if certified"))
    n_steps: int = Field(sa_column_kwargs=_commented("number of compared steps"))
    seconds: float = Field(sa_column=Column(Float, nullable=False, comment="duration of the re-run, seconds"))
    versions: dict[str, Any] = Field(
        sa_column=_json_column("package versions, Python version and machine of the re-run")
    )


class Event(Table, table=True):
    """An event of an episode other than a step: raw input, focus change, pause, clock sample, ..."""

    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs=_commented("episode"))
    number: int = Field(
        primary_key=True, sa_column_kwargs=_commented("0-based number of the event in the episode, in order of arrival")
    )
    kind: str = Field(
        sa_column_kwargs=_commented(
            "kind: input, focus, pause, resume, detach, attach, clock, late, left-out, ...; see the data dictionary"
        )
    )
    server_us: int = Field(
        sa_column=_bigint_column(
            "arrival at the server: microseconds since the episode's start, server monotonic clock"
        )
    )
    client_us: int | None = Field(
        None,
        sa_column=_bigint_column(
            "event in the browser: microseconds since the time origin, browser clock; null: not from the browser",
            nullable=True,
        ),
    )
    step: int = Field(sa_column_kwargs=_commented("number of steps taken before the arrival"))
    data: dict[str, Any] = Field(sa_column=_json_column("fields of the kind; see the data dictionary"))


class Preference(Table, table=True):
    """Preferences of a player, stored by the web page. Researchers cannot read them."""

    user_id: str = Field(
        primary_key=True, foreign_key="user.id", ondelete="CASCADE", sa_column_kwargs=_commented("player")
    )
    settings: dict[str, Any] = Field(
        sa_column=_json_column("key bindings by game, hand, favourites, ...: body of the last PUT /me/preferences")
    )
    time_updated: datetime = Field(
        sa_column=_database_time_column("time of the last change, database clock", updates=True)
    )


class BaselineSource(Table, table=True):
    """A source of published scores. Its scores never change; another version of them is another source."""

    __tablename__ = "baseline_source"

    id: str = Field(primary_key=True, sa_column_kwargs=_commented("short name"))
    version: str = Field(sa_column_kwargs=_commented("commit or table that contains the scores"))
    citation: str = Field(sa_column_kwargs=_commented("reference to cite"))
    protocol: str = Field(sa_column_kwargs=_commented("protocol by which the scores were measured"))


class Baseline(Table, table=True):
    """Published scores for an environment: the returns that have the normalised scores 0 and 1."""

    source_id: str = Field(foreign_key="baseline_source.id", primary_key=True, sa_column_kwargs=_commented("source"))
    environment_id: str = Field(primary_key=True, sa_column_kwargs=_commented("Gymnasium id, such as ALE/Breakout-v5"))
    random: float = Field(sa_column_kwargs=_commented("mean return of a random agent; normalised score 0"))
    human: float = Field(sa_column_kwargs=_commented("return of a human, given by the source; normalised score 1"))


class Erasure(Table, table=True):
    """Tombstone of an account that its player erased, with counts of the erased episodes."""

    user_id: str = Field(
        primary_key=True,
        sa_column_kwargs=_commented("id of the erased user; never used again, so that late uploads are dropped"),
    )
    time_created: datetime = Field(sa_column=_database_time_column("time of the request, database clock"))
    time_erased: datetime | None = Field(
        None,
        sa_column=_timestamp_column(
            "time at which all rows and objects were deleted, database clock; null: in progress", nullable=True
        ),
    )
    games: dict[str, Any] = Field(sa_column=_json_column("game id to the numbers of erased episodes and steps"))


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
