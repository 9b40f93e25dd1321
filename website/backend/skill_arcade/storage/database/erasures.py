"""Erasing an account: its tombstone, and its rows.

An erased id never comes back. So one question, whether there is a tombstone, refuses old tokens and drops what was
still on its way, whenever it arrives.
"""

import hashlib
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import AccountErased
from skill_arcade.storage.database.tables import Table

_table = Table.metadata.tables
_user, _episode, _erasure = _table["user"], _table["episode"], _table["erasure"]
# Whatever belongs to an episode or to a user, by the name of its column: a table that is added later is erased too.
_of_episodes = [table for table in reversed(Table.metadata.sorted_tables) if "episode_id" in table.columns]
_of_users = [
    table
    for table in reversed(Table.metadata.sorted_tables)
    if "user_id" in table.columns and table not in (_episode, _erasure)
]


def id_after_erasure(user_id: str) -> str:
    """The id of who comes back after the account of `user_id` was erased."""
    return hashlib.sha256(f"after {user_id}".encode()).hexdigest()[:32]


async def is_erased(connection: AsyncConnection, user_id: str) -> bool:
    """Say whether the account of this id was erased, or is being erased."""
    query = select(literal(1)).where(_erasure.c.user_id == user_id)
    return (await connection.execute(query)).first() is not None


async def lock_user(connection: AsyncConnection, user_id: str) -> None:
    """Make sure that there is such a user, until this transaction ends: an erasure waits for it.

    Raises:
        PlayerErased: the account was erased.
    """
    row = select(_user.c.id).where(_user.c.id == user_id).with_for_update(key_share=True, read=True)
    there = (await connection.execute(row)).first()
    # Asked after the lock is held, so that no erasure can begin in between.
    if await is_erased(connection, user_id):
        raise AccountErased(f"The account {user_id} was erased; nothing of it is kept any more.")
    if there is None:
        await connection.execute(insert(_user).values(id=user_id).on_conflict_do_nothing())


async def begin_erasure(connection: AsyncConnection, user_id: str) -> bool:
    """Close the account: from here on nobody is signed in to it, and nothing of it is recorded. False: no such user."""
    row = select(_user.c.id).where(_user.c.id == user_id).with_for_update()
    if (await connection.execute(row)).first() is None:
        return False
    await connection.execute(insert(_erasure).values(user_id=user_id).on_conflict_do_nothing())
    await connection.execute(update(_user).where(_user.c.id == user_id).values(email=None))
    return True


async def get_erasure(connection: AsyncConnection, user_id: str) -> Row[Any] | None:
    """The tombstone (`user_id, time_created, time_erased, games`), or None."""
    return (await connection.execute(select(_erasure).where(_erasure.c.user_id == user_id))).one_or_none()


async def list_unfinished(connection: AsyncConnection) -> list[str]:
    """Ids of accounts that are closed, and not all gone yet."""
    query = select(_erasure.c.user_id).where(_erasure.c.time_erased.is_(None)).order_by(_erasure.c.time_created)
    return list((await connection.execute(query)).scalars())


async def list_user_episodes(connection: AsyncConnection, user_id: str, limit: int) -> list[UUID]:
    """Some episodes of a user, oldest first."""
    query = select(_episode.c.id).where(_episode.c.user_id == user_id).order_by(_episode.c.id).limit(limit)
    return list((await connection.execute(query)).scalars())


async def erase_episode(connection: AsyncConnection, episode_id: UUID) -> None:
    """Remove every row of an episode, and count it on its player's tombstone. One that is gone is fine."""
    row = select(_episode.c.id).where(_episode.c.id == episode_id).with_for_update()
    if (await connection.execute(row)).first() is None:
        return
    for table in _of_episodes:
        await connection.execute(delete(table).where(table.c.episode_id == episode_id))
    gone = delete(_episode).where(_episode.c.id == episode_id)
    user_id, game_id, n_steps = (
        await connection.execute(gone.returning(_episode.c.user_id, _episode.c.game_id, _episode.c.n_steps))
    ).one()
    stone = select(_erasure.c.games).where(_erasure.c.user_id == user_id).with_for_update()
    games = dict((await connection.execute(stone)).scalar_one())
    count = games.get(game_id, {"episodes": 0, "steps": 0})
    games[game_id] = {"episodes": count["episodes"] + 1, "steps": count["steps"] + n_steps}
    await connection.execute(update(_erasure).where(_erasure.c.user_id == user_id).values(games=games))


async def finish_erasure(connection: AsyncConnection, user_id: str) -> None:
    """Remove the user, of whom no episode is left, and say on the tombstone that all is gone."""
    for table in _of_users:
        await connection.execute(delete(table).where(table.c.user_id == user_id))
    await connection.execute(delete(_user).where(_user.c.id == user_id))
    await connection.execute(update(_erasure).where(_erasure.c.user_id == user_id).values(time_erased=func.now()))
