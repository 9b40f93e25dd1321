"""Leases of players' games and spent tickets. The caller owns the transaction; only the database's clock counts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ColumnElement, String, bindparam, delete, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.storage.database.tables import Table

_lease, _ticket = Table.metadata.tables["game_lease"], Table.metadata.tables["spent_ticket"]

CHANNEL = "game_lease"
"""Channel of notifications to the server that has lost a lease."""
MAX_EXPIRED = timedelta(hours=1)
"""Time after which an expired lease is deleted: its server is gone, and nobody has come back to the game."""
# The fence is drawn with the row locked: drawn before, a taker that waited would replace a greater one by its own.
_LOCK = text("""
    INSERT INTO game_lease (user_id, server_id, time_expires) VALUES (:user_id, :server_id, now())
    ON CONFLICT (user_id) DO UPDATE SET user_id = excluded.user_id RETURNING server_id
""")
_TAKE = text("""
    UPDATE game_lease SET server_id = :server_id, fence = nextval('game_lease_fence'),
        time_expires = clock_timestamp() + CAST(:lifetime AS interval)
    WHERE user_id = :user_id RETURNING fence
""")


@dataclass(frozen=True, slots=True)
class LostLease:
    """A lease that a server has lost at `fence`. `is_taken`: another server has it; otherwise it was revoked."""

    user_id: str
    fence: int
    is_taken: bool


async def take_lease(connection: AsyncConnection, user_id: str, server_id: UUID, lifetime: timedelta) -> int:
    """Take the lease of a player's game from whoever has it, and notify that server. Return the fence."""
    before = (await connection.execute(_LOCK, {"user_id": user_id, "server_id": server_id})).scalar_one()
    values = {"user_id": user_id, "server_id": server_id, "lifetime": lifetime}
    fence = (await connection.execute(_TAKE, values)).scalar_one()
    if before != server_id:
        await _notify(connection, before, LostLease(user_id, fence, is_taken=True))
    return int(fence)


async def revoke_lease(connection: AsyncConnection, user_id: str) -> None:
    """Delete the lease of a player's game, and notify the server that had it."""
    deleted = delete(_lease).where(_lease.c.user_id == user_id).returning(_lease.c.server_id, _lease.c.fence)
    row = (await connection.execute(deleted)).one_or_none()
    if row is not None:
        await _notify(connection, row.server_id, LostLease(user_id, row.fence, is_taken=False))


async def find_owner(connection: AsyncConnection, user_id: str) -> UUID | None:
    """Return the server that has the player's game, or None."""
    query = select(_lease.c.server_id).where(_lease.c.user_id == user_id, _lease.c.time_expires >= func.now())
    owner: UUID | None = (await connection.execute(query)).scalar()
    return owner


async def renew_leases(
    connection: AsyncConnection, server_id: UUID, fences: Mapping[str, int], lifetime: timedelta
) -> list[LostLease]:
    """Renew leases that a server holds, as user and fence. Return those that it has lost."""
    renewed = (
        update(_lease)
        .where(_lease.c.server_id == server_id, _is_any(fences))
        .values(time_expires=func.now() + literal(lifetime))
        .returning(_lease.c.user_id)
    )
    kept = set((await connection.execute(renewed)).scalars())
    if not (missing := [user_id for user_id in fences if user_id not in kept]):
        return []
    users = bindparam("users", missing, ARRAY(String))
    query = select(_lease.c.user_id).where(_lease.c.user_id == func.any(users))
    taken = set((await connection.execute(query)).scalars())
    return [LostLease(user_id, fences[user_id], is_taken=user_id in taken) for user_id in missing]


async def release_leases(connection: AsyncConnection, server_id: UUID, fences: Mapping[str, int]) -> None:
    """Delete leases that a server holds and does not need any more, except those that say which episode waits."""
    is_unneeded = (_lease.c.server_id == server_id) & _is_any(fences) & _lease.c.moved_episode_id.is_(None)
    await connection.execute(delete(_lease).where(is_unneeded))


async def spend_ticket(connection: AsyncConnection, nonce: str, lifetime: timedelta) -> bool:
    """Note that a ticket was used. Return False if it was used before, on any server."""
    values = {"nonce": nonce, "time_expires": func.now() + literal(lifetime)}
    statement = insert(_ticket).values(**values).on_conflict_do_nothing().returning(_ticket.c.nonce)
    return (await connection.execute(statement)).first() is not None


async def restore_ticket(connection: AsyncConnection, nonce: str) -> None:
    """Make a used ticket valid again."""
    await connection.execute(delete(_ticket).where(_ticket.c.nonce == nonce))


async def delete_expired(connection: AsyncConnection) -> None:
    """Delete tickets that are invalid anyway, and leases that nobody has renewed for long."""
    await connection.execute(delete(_ticket).where(_ticket.c.time_expires < func.now()))
    await connection.execute(delete(_lease).where(_lease.c.time_expires < func.now() - literal(MAX_EXPIRED)))


def read_notification(payload: str, server_id: UUID) -> LostLease | None:
    """Return the lease that a notification is about, or None if it is for another server."""
    fields: dict[str, Any] = json.loads(payload)
    if fields.pop("server_id") != str(server_id):
        return None
    return LostLease(**fields)


def _is_any(fences: Mapping[str, int]) -> ColumnElement[bool]:
    # Fences come from a sequence, so that no two takings have the same.
    return _lease.c.fence == func.any(bindparam("fences", list(fences.values()), ARRAY(BigInteger)))


async def _notify(connection: AsyncConnection, server_id: UUID, lost: LostLease) -> None:
    fields = {"server_id": str(server_id), "user_id": lost.user_id, "fence": lost.fence, "is_taken": lost.is_taken}
    await connection.execute(select(func.pg_notify(CHANNEL, json.dumps(fields))))
