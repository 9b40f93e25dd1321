"""Table of the results of re-runs."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, Enum, Float, func
from sqlmodel import Field

from skill_arcade.storage.database.tables.base import Table, commented, json_column


class CertificateResult(StrEnum):
    """Result of a re-run."""

    certified = "certified"
    mismatch = "mismatch"
    irreproducible = "irreproducible"
    damaged = "damaged"


class Certificate(Table, table=True):
    """The verdict of one re-run of a finished episode, compared with its recording. The newest one counts."""

    episode_id: UUID = Field(foreign_key="episode.id", primary_key=True, sa_column_kwargs=commented("episode"))
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
        None, sa_column_kwargs=commented("first step that differs; -1: the reset differs; null: no step differs")
    )
    reason: str = Field(sa_column_kwargs=commented("explanation in English; empty if certified"))
    n_steps: int = Field(sa_column_kwargs=commented("number of compared steps"))
    seconds: float = Field(sa_column=Column(Float, nullable=False, comment="duration of the re-run, seconds"))
    versions: dict[str, Any] = Field(
        sa_column=json_column("package versions, Python version and machine of the re-run")
    )
