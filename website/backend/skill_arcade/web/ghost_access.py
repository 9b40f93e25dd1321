"""Checks that a user may play against an episode as a ghost (rule O17)."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import InvalidRequest
from skill_arcade.games.catalogue import Catalogue
from skill_arcade.web.viewer import Viewer, find_visible_episode


async def check_ghost(
    connection: AsyncConnection, episode_id: UUID, catalogue: Catalogue, game_id: str, viewer: Viewer
) -> None:
    """Check that an episode can be the ghost of a game of this user.

    Raises:
        NotFound, LinkRevoked: the user may not see the episode.
        InvalidRequest: it is an episode of another game, or it has not ended.
    """
    episode, _ = await find_visible_episode(connection, episode_id, viewer)
    if catalogue.current_id(episode.game_id) != catalogue.current_id(game_id):
        raise InvalidRequest(f"Episode {episode_id} is of another game ({episode.game_id}). Race it in that game.")
    if episode.time_ended is None:
        raise InvalidRequest(f"Episode {episode_id} has not ended yet, or is not uploaded yet. Try again in a moment.")
