"""Tables of users, their preferences and erased accounts."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from skill_arcade.storage.database.tables.base import (
    Table,
    commented,
    database_time_column,
    json_column,
    timestamp_column,
)


class User(Table, table=True):
    """A player."""

    id: str = Field(
        primary_key=True,
        sa_column_kwargs=commented("keyed hash of the e-mail; it cannot be computed without the server's key"),
    )
    email: str | None = Field(None, unique=True, sa_column_kwargs=commented("normalised e-mail; null after erasure"))
    is_synthetic: bool = Field(
        False,
        sa_column_kwargs=commented("true: a program, such as the smoke test of a release; no view counts its episodes")
        | {"server_default": "false"},
    )
    time_signed_out: datetime | None = Field(
        sa_column=timestamp_column(
            "sessions that began before are rejected, database clock; null: none is", nullable=True
        )
    )
    time_created: datetime = Field(sa_column=database_time_column("time of the first sign-in, database clock"))
    time_updated: datetime = Field(
        sa_column=database_time_column("time of the last change, database clock", updates=True)
    )


class Preference(Table, table=True):
    """Preferences of a player, stored by the web page. Researchers cannot read them."""

    user_id: str = Field(
        primary_key=True, foreign_key="user.id", ondelete="CASCADE", sa_column_kwargs=commented("player")
    )
    settings: dict[str, Any] = Field(
        sa_column=json_column("key bindings by game, hand, favourites, ...: body of the last PUT /me/preferences")
    )
    time_updated: datetime = Field(
        sa_column=database_time_column("time of the last change, database clock", updates=True)
    )


class Erasure(Table, table=True):
    """Tombstone of an account that its player erased, with counts of the erased episodes."""

    user_id: str = Field(
        primary_key=True,
        sa_column_kwargs=commented("id of the erased user; never used again, so that late uploads are dropped"),
    )
    time_created: datetime = Field(sa_column=database_time_column("time of the request, database clock"))
    time_erased: datetime | None = Field(
        None,
        sa_column=timestamp_column(
            "time at which all rows and objects were deleted, database clock; null: in progress", nullable=True
        ),
    )
    games: dict[str, Any] = Field(sa_column=json_column("game id to the numbers of erased episodes and steps"))
