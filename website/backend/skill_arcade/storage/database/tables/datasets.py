"""Tables of saved datasets: selections of episodes under a name, in versions that never change."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, String, UniqueConstraint, text
from sqlmodel import Field

from skill_arcade.storage.database.tables.base import (
    Table,
    bigint_column,
    commented,
    database_time_column,
    json_column,
    timestamp_column,
)


class SavedDataset(Table, table=True):
    """A dataset that researchers have saved under a name. Its episodes are those of its versions."""

    __tablename__ = "saved_dataset"

    name: str = Field(primary_key=True, sa_column_kwargs=commented("name, such as breakout-people"))
    key: str = Field(
        sa_column_kwargs=commented("hexadecimal key of the pseudonyms, the same in all versions and exports")
    )
    time_created: datetime = Field(sa_column=database_time_column("time of the first version, database clock"))


class DatasetVersion(Table, table=True):
    """A version of a saved dataset. Rows are only added; `publications` alone grows later."""

    __tablename__ = "dataset_version"
    __table_args__ = (
        UniqueConstraint("dataset_name", "number"),
        CheckConstraint("cause IN ('saved', 'removal')", name="cause"),
    )

    id: UUID = Field(primary_key=True, sa_column_kwargs=commented("UUID version 7; sorts by time"))
    dataset_name: str = Field(foreign_key="saved_dataset.name", sa_column_kwargs=commented("dataset"))
    number: int = Field(sa_column_kwargs=commented("number of the version, from 1"))
    cause: str = Field(
        sa_column_kwargs=commented("saved: by a researcher; removal: episodes were erased, or their consent withdrawn")
    )
    query: str = Field(sa_column_kwargs=commented("SQL condition on episode_summary that selected the episodes"))
    filters: dict[str, Any] | None = Field(
        None,
        sa_column=json_column("filters of the research page, of which `query` is the SQL; null: none", nullable=True),
    )
    scope: str = Field(sa_column_kwargs=commented("scope of the consent that every episode has"))
    description: dict[str, Any] = Field(sa_column=json_column("title, summary, authors, license and contact"))
    consent_documents: list[dict[str, Any]] = Field(
        sa_column=json_column("version, language and SHA-256 of what players agreed to, and the number of episodes")
    )
    schema_version: str = Field(sa_column_kwargs=commented("alembic_version.version_num when it was saved"))
    software: dict[str, Any] = Field(sa_column=json_column("package versions with which it was saved"))
    as_of: datetime = Field(
        sa_column=timestamp_column("exports have the notes and certificates of this time, database clock")
    )
    n_episodes: int = Field(sa_column_kwargs=commented("number of episodes"))
    n_steps: int = Field(sa_column=bigint_column("number of transitions"))
    n_players: int = Field(sa_column_kwargs=commented("number of players"))
    n_without_consent: int = Field(
        sa_column_kwargs=commented("number of episodes that matched the query and lacked the scope")
    )
    digest: str = Field(sa_column_kwargs=commented("SHA-256 of the pseudonyms and digests of all episodes"))
    removed: list[str] = Field(
        sa_column=Column(
            ARRAY(String),
            nullable=False,
            server_default=text("'{}'"),
            comment="pseudonyms of the episodes of the previous version that a removal took out",
        )
    )
    publications: dict[str, Any] = Field(sa_column=json_column("address of each repository to the time of its upload"))
    time_created: datetime = Field(sa_column=database_time_column("time at which it was saved, database clock"))


class DatasetEpisode(Table, table=True):
    """An episode of a version of a saved dataset. Of an erased episode the pseudonym stays."""

    __tablename__ = "dataset_episode"

    version_id: UUID = Field(
        primary_key=True, foreign_key="dataset_version.id", sa_column_kwargs=commented("version of a dataset")
    )
    pseudonym: str = Field(primary_key=True, sa_column_kwargs=commented("id of the episode in exports of the dataset"))
    episode_id: UUID | None = Field(
        None, foreign_key="episode.id", index=True, sa_column_kwargs=commented("episode; null: it was erased")
    )
    digest: str | None = Field(
        None,
        sa_column_kwargs=commented(
            "SHA-256 of the recording: rows, objects, origin, and notes as of `as_of`; null: the episode was erased"
        ),
    )
    is_certified: bool = Field(sa_column_kwargs=commented("newest certificate as of `as_of` says certified"))
