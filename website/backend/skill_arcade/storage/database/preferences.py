"""How players like to play: one document each. Each function takes a connection; the caller owns the transaction."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.storage.database import tables

_preference = tables.Table.metadata.tables["preference"]


async def get_preferences(connection: AsyncConnection, user_id: str) -> dict[str, Any] | None:
    """What this player has kept; None: nothing yet."""
    kept = (await connection.execute(select(_preference.c.settings).where(_preference.c.user_id == user_id))).scalar()
    return None if kept is None else dict(kept)


async def put_preferences(connection: AsyncConnection, user_id: str, settings: Mapping[str, Any]) -> None:
    """Keep this in place of what was kept."""
    made = insert(_preference).values(user_id=user_id, settings=dict(settings))
    await connection.execute(
        made.on_conflict_do_update(
            index_elements=["user_id"], set_={"settings": made.excluded.settings, "time_updated": func.now()}
        )
    )
