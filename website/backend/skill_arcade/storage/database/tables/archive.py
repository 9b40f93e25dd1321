"""Tables that say where the transitions of archived episodes are."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, ForeignKey, String
from sqlmodel import Field

from skill_arcade.storage.database.tables.base import (
    Table,
    bigint_column,
    commented,
    database_time_column,
    timestamp_column,
)


class ArchiveObject(Table, table=True):
    """A Parquet object with the transitions of archived episodes, one row group for each episode."""

    __tablename__ = "archive_object"

    key: str = Field(primary_key=True, sa_column_kwargs=commented("key of the object"))
    sha256: str = Field(sa_column_kwargs=commented("SHA-256 of the object in hexadecimal"))
    n_bytes: int = Field(sa_column=bigint_column("size of the object, bytes"))
    n_footer_bytes: int = Field(sa_column=bigint_column("size of the description of the file at its end, bytes"))
    n_episodes: int = Field(sa_column_kwargs=commented("number of episodes in the object"))
    time_created: datetime = Field(sa_column=database_time_column("time before the upload, database clock"))


class ArchivedEpisode(Table, table=True):
    """Where the transitions of an archived episode are, and what views compute from them."""

    __tablename__ = "archived_episode"

    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs=commented("episode"))
    object_key: str = Field(
        sa_column=Column(
            String, ForeignKey("archive_object.key"), nullable=False, index=True, comment="object with the transitions"
        )
    )
    row_group: int = Field(sa_column_kwargs=commented("0-based number of the episode's row group in the object"))
    first_byte: int = Field(sa_column=bigint_column("position of the row group in the object"))
    n_bytes: int = Field(sa_column=bigint_column("size of the row group, bytes"))
    n_steps: int = Field(sa_column_kwargs=commented("number of transitions in the row group"))
    rows_sha256: str = Field(
        sa_column_kwargs=commented("SHA-256 of the transitions with all columns; checked when they are read")
    )
    time_archived: datetime | None = Field(
        None,
        sa_column=timestamp_column(
            "time at which the rows of the table transition were deleted, database clock; null: in progress, they are "
            "still there",
            nullable=True,
        ),
    )
    latency_p50_ms: float | None = Field(None, sa_column_kwargs=commented("episode_summary.latency_p50_ms"))
    latency_p95_ms: float | None = Field(None, sa_column_kwargs=commented("episode_summary.latency_p95_ms"))
    dropped_frames: int | None = Field(
        None, sa_column=bigint_column("episode_summary.dropped_frames; null: in progress", nullable=True)
    )
    elapsed_us: int | None = Field(
        None,
        sa_column=bigint_column("episode_pace.elapsed_seconds in microseconds; null: as there", nullable=True),
    )
    active_us: int | None = Field(
        None, sa_column=bigint_column("episode_pace.active_seconds in microseconds; null: as there", nullable=True)
    )
    n_before_shown: int | None = Field(
        None,
        sa_column_kwargs=commented(
            "number of presses that refer to a frame which was painted after them, browser clock; null: in progress"
        ),
    )
    shown_md5: str | None = Field(
        None, sa_column_kwargs=commented("MD5 of all shown_us, for the digests of saved datasets; null: in progress")
    )
