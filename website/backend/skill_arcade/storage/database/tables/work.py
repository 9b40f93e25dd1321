"""The table of work that is done once, by whichever process claims it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field

from skill_arcade.storage.database.tables.base import Table, commented, database_time_column, timestamp_column


class Work(Table, table=True):
    """Work that waits or is being done: one row for each subject of a kind. All times: database clock."""

    __tablename__ = "work"
    __table_args__ = (Index(None, "kind", "time_due"),)

    kind: str = Field(primary_key=True, sa_column_kwargs=commented("certify, erase, archive, withdraw or export"))
    subject: str = Field(
        primary_key=True,
        sa_column_kwargs=commented("id of the episode, user, consent or requested export that it is about"),
    )
    requests: int = Field(
        1, sa_column_kwargs=commented("number of requests; one that comes meanwhile repeats it", server_default="1")
    )
    attempts: int = Field(0, sa_column_kwargs=commented("number of times it was claimed", server_default="0"))
    worker: UUID | None = Field(None, sa_column_kwargs=commented("process that does it; null: it waits"))
    time_created: datetime = Field(sa_column=database_time_column("time of the first request"))
    time_due: datetime = Field(
        sa_column=timestamp_column("time from which it may be claimed; while it is being done, the end of the lease")
    )
