"""Erases accounts: the tombstone of an account and the deletion of its rows.

The id of an erased account is never used again. A tombstone is therefore enough to reject old tokens and to drop
recordings that arrive after the erasure.
"""

import hashlib
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import AccountErased
from skill_arcade.storage.database.episode_measures import mark_duplicates
from skill_arcade.storage.database.judgements import remove_items
from skill_arcade.storage.database.tables import Table
from skill_arcade.storage.database.work import WorkKind, delete_exports, delete_work, request_work

_table = Table.metadata.tables
_user, _episode, _erasure, _consent = _table["user"], _table["episode"], _table["erasure"], _table["consent"]
_dataset_episode, _agent, _agent_token = _table["dataset_episode"], _table["agent"], _table["agent_token"]
# Tables with a column `episode_id` or `user_id`, so that the rows of a new table are erased too.
_episode_tables = [
    table
    for table in reversed(Table.metadata.sorted_tables)
    if "episode_id" in table.columns and table is not _dataset_episode
]
_user_tables = [
    table
    for table in reversed(Table.metadata.sorted_tables)
    if "user_id" in table.columns and table not in (_episode, _erasure)
]


def id_after_erasure(user_id: str) -> str:
    """Return the id that a person gets who signs in again after the account `user_id` was erased."""
    return hashlib.sha256(f"after {user_id}".encode()).hexdigest()[:32]


async def is_erased(connection: AsyncConnection, user_id: str) -> bool:
    """Return whether the account was erased or is being erased."""
    query = select(literal(1)).where(_erasure.c.user_id == user_id)
    return (await connection.execute(query)).first() is not None


async def lock_user(connection: AsyncConnection, user_id: str) -> None:
    """Insert the user if it does not exist, and lock the row until the transaction ends. An erasure waits for the lock.

    Raises:
        AccountErased: the account was erased.
    """
    row = select(_user.c.id).where(_user.c.id == user_id).with_for_update(key_share=True, read=True)
    existing = (await connection.execute(row)).first()
    # Checked after the lock is acquired, so that an erasure cannot start in between.
    if await is_erased(connection, user_id):
        raise AccountErased(f"The account {user_id} was erased; its recordings are deleted and not stored again.")
    if existing is None:
        await connection.execute(insert(_user).values(id=user_id).on_conflict_do_nothing())


async def begin_erasure(connection: AsyncConnection, user_id: str) -> bool:
    """Write the tombstone, after which the account can neither sign in nor record. Return False for an unknown user."""
    row = select(_user.c.id).where(_user.c.id == user_id).with_for_update()
    if (await connection.execute(row)).first() is None:
        return False
    await connection.execute(insert(_erasure).values(user_id=user_id).on_conflict_do_nothing())
    await connection.execute(update(_user).where(_user.c.id == user_id).values(email=None))
    await _stop_agents(connection, user_id)
    await request_work(connection, WorkKind.ERASE, user_id)
    return True


async def _stop_agents(connection: AsyncConnection, owner_id: str) -> None:
    """Revoke the tokens of a user's agents, and sign these out. The agents and their recordings stay, without owner."""
    agents = select(_agent.c.user_id).where(_agent.c.owner_id == owner_id)
    valid = _agent_token.c.user_id.in_(agents) & _agent_token.c.time_revoked.is_(None)
    await connection.execute(update(_agent_token).where(valid).values(time_revoked=func.now()))
    await connection.execute(update(_user).where(_user.c.id.in_(agents)).values(time_signed_out=func.now()))


async def reopen_erasure(connection: AsyncConnection, user_id: str) -> bool:
    """Begin the erasure of an account again if a restored database still has it. Return False if it has nothing of it.

    The tombstone is written in any case, so that the account cannot come back.
    """
    await connection.execute(insert(_erasure).values(user_id=user_id, time_erased=func.now()).on_conflict_do_nothing())
    if not await begin_erasure(connection, user_id):
        return False
    await connection.execute(update(_erasure).where(_erasure.c.user_id == user_id).values(time_erased=None))
    return True


async def get_erasure(connection: AsyncConnection, user_id: str) -> Row[Any] | None:
    """Return the tombstone (`user_id, time_created, time_erased, games`), or None if the account was not erased."""
    return (await connection.execute(select(_erasure).where(_erasure.c.user_id == user_id))).one_or_none()


async def list_unfinished(connection: AsyncConnection) -> list[str]:
    """Return the ids of accounts whose erasure has started but not finished."""
    query = select(_erasure.c.user_id).where(_erasure.c.time_erased.is_(None)).order_by(_erasure.c.time_created)
    return list((await connection.execute(query)).scalars())


async def list_user_episodes(connection: AsyncConnection, user_id: str, limit: int) -> list[UUID]:
    """Return up to `limit` episodes of a user, oldest first."""
    query = select(_episode.c.id).where(_episode.c.user_id == user_id).order_by(_episode.c.id).limit(limit)
    return list((await connection.execute(query)).scalars())


async def erase_episode(connection: AsyncConnection, episode_id: UUID) -> None:
    """Delete all rows of an episode and add it to the counts on the tombstone of an erased account.

    Does nothing for an unknown episode.
    """
    row = select(_episode.c.id).where(_episode.c.id == episode_id).with_for_update()
    if (await connection.execute(row)).first() is None:
        return
    # The pseudonym stays, so that a later version of the dataset can say what was removed.
    of_datasets = update(_dataset_episode).where(_dataset_episode.c.episode_id == episode_id)
    await connection.execute(of_datasets.values(episode_id=None, digest=None))
    await remove_items(connection, episode_id)
    for table in _episode_tables:
        await connection.execute(delete(table).where(table.c.episode_id == episode_id))
    for kind in (WorkKind.CERTIFY, WorkKind.ARCHIVE):
        await delete_work(connection, kind, [str(episode_id)])
    deletion = delete(_episode).where(_episode.c.id == episode_id)
    columns = (_episode.c.user_id, _episode.c.game_id, _episode.c.n_steps, _episode.c.seed)
    user_id, game_id, n_steps, seed = (await connection.execute(deletion.returning(*columns))).one()
    await mark_duplicates(connection, [seed])
    tombstone = select(_erasure.c.games).where(_erasure.c.user_id == user_id).with_for_update()
    counts = (await connection.execute(tombstone)).one_or_none()
    if counts is None:  # its consent was withdrawn, and the account stays
        return
    games = dict(counts.games)
    count = games.get(game_id, {"episodes": 0, "steps": 0})
    games[game_id] = {"episodes": count["episodes"] + 1, "steps": count["steps"] + n_steps}
    await connection.execute(update(_erasure).where(_erasure.c.user_id == user_id).values(games=games))


async def finish_erasure(connection: AsyncConnection, user_id: str) -> None:
    """Delete a user without episodes and the work that names them, and set the end time on the tombstone."""
    consents = select(_consent.c.id).where(_consent.c.user_id == user_id)
    withdrawals = [str(id_) for id_ in (await connection.execute(consents)).scalars()]
    await delete_work(connection, WorkKind.WITHDRAW, withdrawals)
    await delete_work(connection, WorkKind.ERASE, [user_id])
    await delete_exports(connection, user_id)
    for table in _user_tables:
        await connection.execute(delete(table).where(table.c.user_id == user_id))
    await connection.execute(delete(_user).where(_user.c.id == user_id))
    await connection.execute(update(_erasure).where(_erasure.c.user_id == user_id).values(time_erased=func.now()))
