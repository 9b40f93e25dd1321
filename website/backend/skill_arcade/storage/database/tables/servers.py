"""Table of the servers that run on this database."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Field

from skill_arcade.storage.database.tables.base import (
    Table,
    commented,
    database_time_column,
    json_column,
    timestamp_column,
)


class Server(Table, table=True):
    """One start of a server. It is lost after `time_expires`. All times: database clock."""

    id: UUID = Field(primary_key=True, sa_column_kwargs=commented("random; a restart is another server"))
    journal_id: UUID = Field(
        index=True, sa_column_kwargs=commented("journal that it writes; kept by a restart with the same disk")
    )
    address: str = Field(sa_column_kwargs=commented("name of its host or container"))
    revision: str = Field(sa_column_kwargs=commented("revision of Cloud Run, or the version of the package"))
    max_games: int = Field(sa_column_kwargs=commented("number of games that it may run at once"))
    socket_origin: str | None = Field(
        None,
        sa_column_kwargs=commented(
            "origin at which it accepts players, as ws or wss; null: no ticket names it, for example because it is "
            "stopping"
        ),
    )
    games: int = Field(0, sa_column_kwargs=commented("number of games that ran at time_beat", server_default="0"))
    live_games: list[dict[str, Any]] = Field(
        default_factory=list,
        sa_column=json_column(
            "games of agents that could be watched at time_beat: for each `agent`, `version`, `game_id`, `game_name` "
            "and `watch_token`, the token of the link",
            default_json="[]",
        ),
    )
    time_started: datetime = Field(sa_column=database_time_column("time of the start"))
    time_beat: datetime = Field(sa_column=database_time_column("time of the last sign of life"))
    time_steady: datetime = Field(sa_column=database_time_column("time since which no sign of life was missed"))
    time_expires: datetime = Field(
        sa_column=timestamp_column("time from which it is lost: time_beat plus SERVER_LOST_SECONDS")
    )
    time_ended: datetime | None = Field(
        None, sa_column=timestamp_column("time of an orderly stop; null: it runs, or was lost", nullable=True)
    )
