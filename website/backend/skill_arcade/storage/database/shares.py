"""Links that share an episode. The database has only hashes of their tokens. The caller owns the transaction."""

import hashlib
import secrets
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import InvalidRequest, LinkRevoked, NotFound
from skill_arcade.storage.database.consents import BOARDS, allows, require_scope
from skill_arcade.storage.database.tables import Table

_share = Table.metadata.tables["share"]
TOKEN_BYTES = 32
MAX_SHARES = 50
"""Maximum number of links of an episode that are valid at the same time."""
NOT_SHAREABLE = "This round was recorded without your consent to replays, so it cannot be shared."
INVALID_LINK = "This link is invalid. Ask the player for a new one."


def hash_token(token: str) -> str:
    """Return the hash under which a token is stored. It needs no salt, because a token has 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


async def create_share(connection: AsyncConnection, episode_id: UUID, user_id: str) -> tuple[Row[Any], str]:
    """Insert a link to an episode; return its row and its token.

    Raises:
        InvalidRequest: the episode has `MAX_SHARES` valid links.
        ConsentRequired: it was recorded without consent to replays.
    """
    await require_scope(connection, episode_id, BOARDS, NOT_SHAREABLE)
    if sum(row.time_revoked is None for row in await list_shares(connection, episode_id)) >= MAX_SHARES:
        raise InvalidRequest(f"This episode has {MAX_SHARES} links, which is the maximum. Revoke one first.")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    values = {"id": uuid4(), "episode_id": episode_id, "user_id": user_id, "token_sha256": hash_token(token)}
    return (await connection.execute(insert(_share).values(values).returning(_share))).one(), token


async def list_shares(connection: AsyncConnection, episode_id: UUID) -> list[Row[Any]]:
    """Return all links of an episode, also the revoked ones, newest first."""
    query = select(_share).where(_share.c.episode_id == episode_id)
    return list(await connection.execute(query.order_by(_share.c.time_created.desc(), _share.c.id)))


async def find_share(connection: AsyncConnection, token: str) -> Row[Any]:
    """Return the link with this token.

    Raises:
        NotFound: there is no such link; it was never made, or the account or the episode was erased.
        LinkRevoked: the player has revoked it, or does not allow replays of the episode.
    """
    query = select(_share).where(_share.c.token_sha256 == hash_token(token))
    found = (await connection.execute(query)).one_or_none()
    if found is None:
        raise NotFound(INVALID_LINK)
    if found.time_revoked is not None or not await allows(connection, found.episode_id, BOARDS):
        raise LinkRevoked("The player has revoked this link. Ask them for a new one.")
    return found


async def revoke_share(connection: AsyncConnection, episode_id: UUID, share_id: UUID) -> Row[Any]:
    """Revoke a link of an episode, for good; a second revocation changes nothing. Raises NotFound."""
    statement = update(_share).where(_share.c.id == share_id, _share.c.episode_id == episode_id)
    revoked = statement.values(time_revoked=func.coalesce(_share.c.time_revoked, func.now())).returning(_share)
    found: Row[Any] | None = (await connection.execute(revoked)).one_or_none()
    if found is None:
        raise NotFound(f"Episode {episode_id} has no link {share_id}.")
    return found
