"""Who may see an episode: its player, researchers, whoever has a link to it, and anyone while it ranks on a board.

Episodes of agents are open to everyone who is signed in.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Header
from fastapi.security import HTTPAuthorizationCredentials
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import NotAllowed, NotFound, NotSignedIn
from skill_arcade.storage.database.board_pages import is_on_board
from skill_arcade.storage.database.consents import may_research
from skill_arcade.storage.database.queries import get_episode
from skill_arcade.storage.database.shares import find_share
from skill_arcade.web.current_user import authenticate, bearer
from skill_arcade.web.state import AppState, State
from skill_arcade.web.tokens import Identity

Access = Literal["player", "researcher", "link", "board", "agent"]
MAX_TOKEN_CHARACTERS = 100
_NOT_SIGNED_IN = NotSignedIn("You are not signed in. Sign in, and send the header Authorization: Bearer TOKEN.")
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Viewer:
    """The user who sent the request, or None; and the token of the link that they have, or None."""

    user: Identity | None
    share_token: str | None


async def identify_viewer(
    state: State,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    share_token: Annotated[
        str | None, Header(max_length=MAX_TOKEN_CHARACTERS, description="token of a link that shares the episode")
    ] = None,
) -> Viewer:
    """Return who sent the request. With a link an expired session does not matter; without both the viewer is anyone.

    Raises:
        NotSignedIn: there is no link, and the session token is invalid or expired.
    """
    if share_token is None:
        return Viewer(None if credentials is None else await authenticate(state, credentials), None)
    try:
        user = None if credentials is None else await authenticate(state, credentials)
    except NotSignedIn:
        user = None
    return Viewer(user, share_token)


CurrentViewer = Annotated[Viewer, Depends(identify_viewer)]


async def find_visible_episode(
    connection: AsyncConnection, episode_id: UUID, viewer: Viewer
) -> tuple[Row[Any], Access]:
    """Return the episode's row, and why the viewer may see it.

    Raises:
        NotFound: the episode does not exist, or the viewer has no permission; the two cannot be told apart.
        NotSignedIn: the same, for a viewer who has neither a session nor a link.
        LinkRevoked: the viewer's link was revoked.
    """
    not_found = NotFound(f"Episode {episode_id} not found.")
    try:
        episode = await get_episode(connection, episode_id)
    except NotFound:
        raise (_NOT_SIGNED_IN if viewer == Viewer(None, None) else not_found) from None
    if viewer.user is not None:
        if episode.user_id == viewer.user.user_id:
            return episode, "player"
        if "researcher" in viewer.user.roles and await may_research(connection, episode_id):
            return episode, "researcher"
        # An agent needs no consent. A daily challenge would show its course to those who have their try before them.
        if episode.agent_version_id is not None and not {"daily", "study"} & episode.provenance.keys():
            return episode, "agent"
    if await is_on_board(connection, episode, None if viewer.user is None else viewer.user.user_id):
        return episode, "board"
    if viewer.share_token is None:
        raise _NOT_SIGNED_IN if viewer.user is None else not_found
    share = await find_share(connection, viewer.share_token) if _TOKEN.fullmatch(viewer.share_token) else None
    if share is None or share.episode_id != episode_id:
        raise not_found
    return episode, "link"


def is_public(access: Access) -> bool:
    """Return whether the viewer may be anybody, so that neither the player nor their device may be shown."""
    return access in ("link", "board", "agent")


async def hides_seed(state: AppState, provenance: dict[str, Any], access: Access) -> bool:
    """Return whether the seed is that of a daily challenge whose day is not over, which only researchers see."""
    day = provenance.get("daily")
    return access != "researcher" and isinstance(day, str) and await state.daily.is_open(day)


async def find_private_episode(
    connection: AsyncConnection, episode_id: UUID, user: Identity
) -> tuple[Row[Any], Access]:
    """Return the row of an episode that this user may see as its player or as a researcher. Raises NotFound."""
    episode, access = await find_visible_episode(connection, episode_id, Viewer(user, None))
    if is_public(access):
        raise NotFound(f"Episode {episode_id} not found.")
    return episode, access


async def find_own_episode(connection: AsyncConnection, episode_id: UUID, user: Identity) -> Row[Any]:
    """Return the row of an episode that this user played.

    Raises:
        NotFound: the episode does not exist, or the user may not see it.
        NotAllowed: the user may see it but did not play it.
    """
    episode, access = await find_visible_episode(connection, episode_id, Viewer(user, None))
    if access != "player":
        raise NotAllowed("Only the player of an episode can do this.")
    return episode
