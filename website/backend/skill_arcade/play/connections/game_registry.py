"""What a server must know of the games on other servers before it starts or continues one (rules O25 to O28)."""

from collections.abc import Awaitable, Callable
from typing import Protocol
from uuid import UUID

from skill_arcade.play.assignment import GameAssignment, ResumedEpisode
from skill_arcade.play.connections.player_connections import PlayerConnection

OnWait = Callable[[], Awaitable[None]]
"""Called once if a game cannot start yet, because another server has not let it go."""


class GameRegistry(Protocol):
    """Tells which server has a player's game."""

    async def keep_game(self, connection: PlayerConnection) -> bool:
        """Return whether the player's game on this server may go on; False: another server has it by now.

        Raises:
            TakenOver: the player has a newer connection to another server.
        """

    async def claim_game(
        self, connection: PlayerConnection, assignment: GameAssignment, on_wait: OnWait
    ) -> ResumedEpisode | None:
        """Wait until no other server has the player's game. Return the episode to continue, or None for a new game.

        Raises:
            TakenOver: the player has a newer connection.
        """

    async def release_game(self, user_id: str, episode_id: UUID | None) -> None:
        """Tell other servers that this one, which stops, has let a game go, with the episode to continue, if any."""

    async def return_episode(self, user_id: str, episode_id: UUID) -> None:
        """Hand an episode over again that was claimed and is not continued here, because this server stops."""

    async def end_episode(self, episode_id: UUID) -> None:
        """End an episode that was claimed and cannot be continued."""
