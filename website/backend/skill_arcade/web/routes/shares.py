"""Routes by which players make and revoke links that share an episode."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from sqlalchemy import Row

from skill_arcade.storage.database.shares import create_share, list_shares, revoke_share
from skill_arcade.web.current_user import CurrentUser
from skill_arcade.web.models.sharing import NewShareLink, ShareLink
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.state import State
from skill_arcade.web.viewer import find_own_episode

router = APIRouter(prefix="/episodes/{episode_id}/shares", tags=["shares"])
ERRORS = problem_answers(401, 403, 404, 422, 503)


@router.get("", responses=ERRORS)
async def list_episode_shares(episode_id: UUID, user: CurrentUser, state: State) -> list[ShareLink]:
    """List the links of an episode of the user, newest first, also those that were revoked."""
    async with request_transaction(state.engine) as connection:
        await find_own_episode(connection, episode_id, user)
        return [ShareLink.model_validate(row) for row in await list_shares(connection, episode_id)]


@router.post("", status_code=201, responses=ERRORS)
async def create_episode_share(episode_id: UUID, user: CurrentUser, state: State) -> NewShareLink:
    """Make a link by which anyone who has it can watch an episode of the user, until it is revoked."""
    async with request_transaction(state.engine) as connection:
        await find_own_episode(connection, episode_id, user)
        row, token = await create_share(connection, episode_id, user.user_id)
    return NewShareLink(
        id=row.id,
        time_created=row.time_created,
        time_revoked=row.time_revoked,
        token=token,
        address=f"/shared/{token}",
    )


@router.delete("/{share_id}", responses=ERRORS)
async def revoke_episode_share(
    episode_id: UUID, share_id: Annotated[UUID, Path()], user: CurrentUser, state: State
) -> ShareLink:
    """Revoke a link of an episode of the user, for good."""
    async with request_transaction(state.engine) as connection:
        await find_own_episode(connection, episode_id, user)
        row: Row[tuple[object, ...]] = await revoke_share(connection, episode_id, share_id)
        return ShareLink.model_validate(row)
