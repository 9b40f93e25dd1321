"""The tables of studies. Ids of recruiters are in a table of their own, apart from all behaviour."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Boolean, CheckConstraint, Column, Index, Numeric, UniqueConstraint, Uuid, text
from sqlmodel import Field

from skill_arcade.storage.database.tables.base import (
    Table,
    commented,
    database_time_column,
    json_column,
    timestamp_column,
)


class Study(Table, table=True):
    """A study. Its newest version counts for new participants."""

    name: str = Field(primary_key=True, sa_column_kwargs=commented("name of the file without .yaml"))
    status: str = Field(sa_column_kwargs=commented("open: new participants are accepted; closed: they are not"))
    secret: str = Field(
        sa_column_kwargs=commented(
            "random key of blocks, orders and seeds, hexadecimal; secret until the study is over"
        )
    )
    time_created: datetime = Field(sa_column=database_time_column("time of the first opening, database clock"))
    time_closed: datetime | None = Field(
        None, sa_column=timestamp_column("time of the last closing, database clock; null: open", nullable=True)
    )


class StudyVersion(Table, table=True):
    """A version of a study's file. It never changes; participants keep the version that they began with."""

    __tablename__ = "study_version"
    __table_args__ = (UniqueConstraint("study_name", "number"),)

    id: UUID = Field(primary_key=True, sa_column_kwargs=commented("UUID version 7; sorts by time"))
    study_name: str = Field(foreign_key="study.name", sa_column_kwargs=commented("study"))
    number: int = Field(sa_column_kwargs=commented("1-based number of the version"))
    sha256: str = Field(sa_column_kwargs=commented("SHA-256 of the canonical JSON of `content`"))
    content: dict[str, Any] = Field(sa_column=json_column("complete study"))
    time_created: datetime = Field(sa_column=database_time_column("time at which it was opened, database clock"))


class StudyCode(Table, table=True):
    """The completion code of an outcome of a study. Researchers' roles cannot read it."""

    __tablename__ = "study_code"

    study_name: str = Field(foreign_key="study.name", primary_key=True, sa_column_kwargs=commented("study"))
    outcome: str = Field(primary_key=True, sa_column_kwargs=commented("complete, no-consent, screened-out, ..."))
    code: str = Field(sa_column_kwargs=commented("code that the participant gives the recruiter"))


class Participant(Table, table=True):
    """A participant of a study: where they are, their arm and order, and how they ended."""

    __table_args__ = (
        # A place is held by one participant. Those who dropped out keep their number, and hold it no more. Programs
        # have places of their own, so that a pilot takes none from persons.
        Index(
            "participant_slot_idx",
            "study_name",
            "is_synthetic",
            "stratum",
            "slot",
            unique=True,
            postgresql_where=text("holds_slot"),
        ),
        Index(None, "study_name", "status"),
        Index("participant_pending_journals_idx", "user_id", postgresql_where=text("pending_journals <> '{}'")),
        CheckConstraint("NOT holds_slot OR slot IS NOT NULL", name="slot"),
    )

    user_id: str = Field(
        primary_key=True, foreign_key="user.id", sa_column_kwargs=commented("pseudonym: user.id, of this study only")
    )
    study_name: str = Field(foreign_key="study.name", sa_column_kwargs=commented("study"))
    version_id: UUID = Field(foreign_key="study_version.id", sa_column_kwargs=commented("version that they began with"))
    is_synthetic: bool = Field(
        False,
        sa_column=Column(
            Boolean,
            nullable=False,
            server_default="false",
            comment="true: a program, as user.is_synthetic says; it counts for no quota, and has places of its own",
        ),
    )
    status: str = Field(
        sa_column_kwargs=commented(
            "active, expired (inactive for too long), or the outcome: complete, no-consent, screened-out, ..."
        )
    )
    stage: int = Field(0, sa_column_kwargs=commented("0-based number of the current stage in their own order"))
    attempt: int = Field(0, sa_column_kwargs=commented("number of earlier attempts at the current stage"))
    failed_checks: int = Field(0, sa_column_kwargs=commented("number of failed attention checks"))
    stratum: str | None = Field(None, sa_column_kwargs=commented("answers that the draw was stratified by"))
    slot: int | None = Field(None, sa_column_kwargs=commented("place in the stratum's blocks; null: not drawn yet"))
    holds_slot: bool = Field(
        False,
        sa_column=Column(
            Boolean, nullable=False, server_default="false", comment="whether the place counts for the quota"
        ),
    )
    arm: str | None = Field(None, sa_column_kwargs=commented("condition; null: not drawn yet"))
    sequence: int | None = Field(
        None, sa_column_kwargs=commented("row of the Williams square of counterbalanced stages; null: none")
    )
    resume_sha256: str = Field(
        unique=True, sa_column_kwargs=commented("SHA-256 of the token of their own link, hexadecimal")
    )
    pending_journals: list[UUID] = Field(
        default_factory=list,
        sa_column=Column(
            ARRAY(Uuid),
            nullable=False,
            server_default="{}",
            comment="journals of servers that may have recordings of theirs that are not stored yet",
        ),
    )
    is_seal_requested: bool = Field(
        False,
        sa_column=Column(
            Boolean,
            nullable=False,
            server_default="false",
            comment="true: another server waits until their last game is sealed and stored",
        ),
    )
    time_created: datetime = Field(sa_column=database_time_column("time of arrival, database clock"))
    time_stage: datetime = Field(
        sa_column=database_time_column("time at which the current stage began, database clock")
    )
    time_active: datetime = Field(sa_column=database_time_column("time of the last activity, database clock"))
    time_ended: datetime | None = Field(
        None, sa_column=timestamp_column("time of the outcome, database clock; null: none yet", nullable=True)
    )


class ParticipantIdentity(Table, table=True):
    """A recruiter's ids of a participant. Researchers' roles cannot read it, and no export has it."""

    __tablename__ = "participant_identity"
    __table_args__ = (UniqueConstraint("study_name", "external_id"),)

    user_id: str = Field(primary_key=True, foreign_key="user.id", sa_column_kwargs=commented("participant"))
    study_name: str = Field(foreign_key="study.name", sa_column_kwargs=commented("study"))
    external_id: str = Field(sa_column_kwargs=commented("id of the person at the recruiter"))
    details: dict[str, Any] = Field(
        sa_column=json_column("other ids of the recruiter's address, such as its session's")
    )


class ParticipantAnswer(Table, table=True):
    """What a participant did in a stage: measures, answers, and how long it took. One row per attempt."""

    __tablename__ = "participant_answer"

    user_id: str = Field(primary_key=True, foreign_key="user.id", sa_column_kwargs=commented("participant"))
    stage: str = Field(primary_key=True, sa_column_kwargs=commented("name of the stage"))
    attempt: int = Field(primary_key=True, sa_column_kwargs=commented("0-based number of the attempt"))
    is_passed: bool = Field(sa_column_kwargs=commented("whether the next stage followed"))
    data: dict[str, Any] = Field(sa_column=json_column("measures of a screening, or `answers` by question"))
    time_began: datetime = Field(sa_column=timestamp_column("time at which the stage began, database clock"))
    time_created: datetime = Field(sa_column=database_time_column("time of the answer, database clock"))


class ParticipantExclusion(Table, table=True):
    """A decision to exclude a participant from the analysis. The newest one counts; none is deleted."""

    __tablename__ = "participant_exclusion"
    __table_args__ = (Index(None, "user_id", "id"),)

    id: UUID = Field(primary_key=True, sa_column_kwargs=commented("UUID version 7; sorts by time"))
    user_id: str = Field(foreign_key="user.id", sa_column_kwargs=commented("participant"))
    is_excluded: bool = Field(sa_column_kwargs=commented("true: excluded; false: included again"))
    reason: str = Field(sa_column_kwargs=commented("reason, by the researcher"))
    time_created: datetime = Field(sa_column=database_time_column("time of the decision, database clock"))


class ParticipantBonus(Table, table=True):
    """A bonus that was written into a file for a recruiter. A participant is to get the sum of theirs."""

    __tablename__ = "participant_bonus"
    __table_args__ = (Index(None, "user_id"),)

    id: UUID = Field(primary_key=True, sa_column_kwargs=commented("UUID version 7; sorts by time"))
    user_id: str = Field(foreign_key="user.id", sa_column_kwargs=commented("participant"))
    amount: Decimal = Field(
        sa_column=Column(Numeric(10, 2), nullable=False, comment="amount, in the currency of the study")
    )
    time_created: datetime = Field(
        sa_column=database_time_column("time at which it was written for the recruiter, database clock")
    )
