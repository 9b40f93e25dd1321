"""Players' preferences, one document per player. The caller owns the transaction."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.storage.database import tables

_preference = tables.Table.metadata.tables["preference"]


async def get_preferences(connection: AsyncConnection, user_id: str) -> dict[str, Any] | None:
    """Return the player's preferences, or None if none were stored yet."""
    stored = (await connection.execute(select(_preference.c.settings).where(_preference.c.user_id == user_id))).scalar()
    return None if stored is None else dict(stored)


async def put_preferences(connection: AsyncConnection, user_id: str, settings: Mapping[str, Any]) -> None:
    """Replace the player's preferences."""
    statement = insert(_preference).values(user_id=user_id, settings=dict(settings))
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["user_id"], set_={"settings": statement.excluded.settings, "time_updated": func.now()}
        )
    )
