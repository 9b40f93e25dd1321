"""Queries about daily challenges. The caller owns the transaction."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.storage.database.tables import Table

_daily, _episode = Table.metadata.tables["daily"], Table.metadata.tables["episode"]


async def get_daily(connection: AsyncConnection, day: date) -> Row[Any] | None:
    """Return the challenge of a day, or None if none was drawn."""
    return (await connection.execute(select(_daily).where(_daily.c.day == day))).one_or_none()


async def add_daily(connection: AsyncConnection, values: dict[str, Any]) -> Row[Any]:
    """Insert the challenge of a day unless there is one, and return the one that counts for every server."""
    await connection.execute(insert(_daily).values(**values).on_conflict_do_nothing())
    return (await connection.execute(select(_daily).where(_daily.c.day == values["day"]))).one()


async def list_tries(connection: AsyncConnection, user_id: str, day: date) -> list[UUID]:
    """Return the player's episodes of a day's challenge, the first one first."""
    query = select(_episode.c.id).where(
        _episode.c.user_id == user_id, _episode.c.provenance["daily"].astext == day.isoformat()
    )
    return list((await connection.execute(query.order_by(_episode.c.id))).scalars())


async def read_database_day(connection: AsyncConnection) -> date:
    """Return today by the clock of the database, UTC, so that all servers change the day together."""
    day: date = (await connection.execute(select(func.date(func.timezone("UTC", func.now()))))).scalar_one()
    return day
