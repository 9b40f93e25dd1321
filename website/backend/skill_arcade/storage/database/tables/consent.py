"""Tables of consent documents and the answers to them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from skill_arcade.storage.database.tables.base import (
    Table,
    commented,
    database_time_column,
    json_column,
    timestamp_column,
)


class ConsentDocument(Table, table=True):
    """A version of the text that players are asked with, in one language. It never changes."""

    __tablename__ = "consent_document"
    __table_args__ = (
        Index(
            "consent_document_arcade_idx",
            "version",
            "language",
            unique=True,
            postgresql_where=text("study_name IS NULL"),
        ),
        Index("consent_document_study_idx", "study_name", "version", "language", unique=True),
    )

    sha256: str = Field(primary_key=True, sa_column_kwargs=commented("SHA-256 of the canonical JSON of `content`"))
    version: int = Field(sa_column_kwargs=commented("version; players who answered another one are asked again"))
    language: str = Field(sa_column_kwargs=commented("language tag, such as de"))
    content: dict[str, Any] = Field(sa_column=json_column("complete document"))
    time_created: datetime = Field(sa_column=database_time_column("time of its first use, database clock"))
    study_name: str | None = Field(
        None, sa_column_kwargs=commented("study that the document belongs to; null: the document of the arcade")
    )


class Consent(Table, table=True):
    """A player's answer to a consent document. The newest one counts for new episodes."""

    __table_args__ = (Index(None, "user_id", "id"),)

    id: UUID = Field(primary_key=True, sa_column_kwargs=commented("UUID version 7; sorts by time"))
    user_id: str = Field(foreign_key="user.id", sa_column_kwargs=commented("player"))
    document_sha256: str = Field(foreign_key="consent_document.sha256", sa_column_kwargs=commented("document"))
    decision: str = Field(
        sa_column_kwargs=commented("given, declined, or underage: the year of birth does not allow recording")
    )
    scopes: list[str] = Field(
        sa_column=Column(
            JSONB,
            nullable=False,
            server_default=text("'[]'::jsonb"),
            comment="scopes that the player allowed: research, publication, boards (replays and leaderboards)",
        )
    )
    withdrawn: dict[str, Any] = Field(sa_column=json_column("withdrawn scope to the time of its withdrawal"))
    time_shown: datetime | None = Field(
        None, sa_column=timestamp_column("time at which the page showed the document, its clock", nullable=True)
    )
    time_decided: datetime = Field(sa_column=database_time_column("time of the answer, database clock"))
    time_withdrawn: datetime | None = Field(
        None,
        sa_column=timestamp_column("time at which the last scope was withdrawn; null: one is left", nullable=True),
    )
    time_processed: datetime | None = Field(
        None,
        sa_column=timestamp_column(
            "time at which the newest withdrawal was carried out and noted outside of the database; null: none, or in "
            "progress",
            nullable=True,
        ),
    )
    build: str = Field(sa_column_kwargs=commented("version and commit of the server that asked"))


class ConsentDecision(Table, table=True):
    """The owner's decision on episodes without a consent on record. The newest one counts."""

    __tablename__ = "consent_decision"

    id: UUID = Field(primary_key=True, sa_column_kwargs=commented("UUID version 7; sorts by time"))
    scopes: list[str] = Field(
        sa_column=Column(JSONB, nullable=False, comment="scopes that these episodes count as consented to")
    )
    reason: str = Field(sa_column_kwargs=commented("reason, by the owner"))
    before: datetime = Field(sa_column=timestamp_column("only for episodes that started before"))
    time_created: datetime = Field(sa_column=database_time_column("time of the decision, database clock"))
