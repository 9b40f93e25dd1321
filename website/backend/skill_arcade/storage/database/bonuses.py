"""Queries about bonuses of participants. The caller owns the transaction."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.ids import new_episode_id
from skill_arcade.storage.database.tables import Table

_participant, _identity, _bonus = (
    Table.metadata.tables[name] for name in ("participant", "participant_identity", "participant_bonus")
)


async def list_payees(connection: AsyncConnection, name: str) -> list[Row[Any]]:
    """Return the persons of a study: `user_id`, `external_id` or None, and `paid`, the sum of their bonuses."""
    paid = select(func.coalesce(func.sum(_bonus.c.amount), 0)).where(_bonus.c.user_id == _participant.c.user_id)
    query = (
        select(_participant.c.user_id, _identity.c.external_id, paid.scalar_subquery().label("paid"))
        .outerjoin(_identity, _identity.c.user_id == _participant.c.user_id)
        .where(_participant.c.study_name == name, _participant.c.is_synthetic.is_(False))
    )
    return list(await connection.execute(query))


async def add_bonuses(connection: AsyncConnection, amounts: Mapping[str, Decimal]) -> None:
    """Store amounts by user id."""
    rows = [{"id": new_episode_id(), "user_id": user_id, "amount": amount} for user_id, amount in amounts.items()]
    if rows:
        await connection.execute(insert(_bonus), rows)
