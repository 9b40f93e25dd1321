"""Tables of what only one server may do: a player's game, and the use of a ticket."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, text
from sqlmodel import Field

from skill_arcade.storage.database.tables.base import Table, commented, timestamp_column


class GameLease(Table, table=True):
    """The server that may play a player's game. A connection to another server takes it over."""

    __tablename__ = "game_lease"

    user_id: str = Field(primary_key=True, foreign_key="user.id", sa_column_kwargs=commented("player"))
    server_id: UUID = Field(sa_column_kwargs=commented("server that holds the lease"))
    fence: int = Field(
        sa_column=Column(
            BigInteger,
            nullable=False,
            server_default=text("nextval('game_lease_fence')"),
            comment="number of this taking; a greater one is newer",
        )
    )
    time_expires: datetime = Field(
        sa_column=timestamp_column("time until which it was renewed, database clock; an expired one may be renewed")
    )
    game_server_id: UUID | None = Field(
        None,
        sa_column_kwargs=commented("server that has the game, or had it last; null: none, or it has let it go"),
    )
    moved_episode_id: UUID | None = Field(
        None,
        sa_column_kwargs=commented("episode that the server before has handed over, until another one continues it"),
    )


class SpentTicket(Table, table=True):
    """A ticket that was used, so that no other server accepts it."""

    __tablename__ = "spent_ticket"

    nonce: str = Field(primary_key=True, sa_column_kwargs=commented("random part of the ticket"))
    time_expires: datetime = Field(sa_column=timestamp_column("time after which the row is deleted, database clock"))
