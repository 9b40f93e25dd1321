"""Placement: which server a ticket's connection goes to (rule O39, decision 0064)."""

import logging
import math
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import NotReady
from skill_arcade.settings import Settings
from skill_arcade.storage.database.servers import PlacedServer, list_placed
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.sleeping_servers import SleepingServers

log = logging.getLogger(__name__)

MARGIN_FRACTION = 8
"""One eighth of a server's games is left to players whose ticket is not used yet, and to those who come back."""


class Placement:
    """Names the server that a ticket's connection goes to. It fills one server after the other.

    Without SOCKET_ORIGIN and SOCKET_ORIGINS it names none, and pages connect to the server that they talk to.
    """

    def __init__(self, engine: AsyncEngine, settings: Settings) -> None:
        self._engine, self._own_origin, self._allowed = engine, settings.socket_origin, settings.allowed_sockets
        self._sleeping = SleepingServers(self._allowed, margin)

    async def find_socket(self, user_id: str) -> str | None:
        """Return the origin of the socket for this player, or None for the origin of the request.

        If the database does not answer, it is this server's own.
        """
        if not self._allowed:
            return None
        try:
            async with request_transaction(self._engine) as connection:
                servers = await list_placed(connection, user_id)
        except NotReady:
            log.warning("cannot find a server for a player, naming this one user=%s", user_id)
            return self._own_origin
        servers = [server for server in servers if is_allowed(server.socket_origin, self._allowed)]
        self._sleeping.wake_if_few_places(servers)
        chosen = choose_server(servers)
        return self._own_origin if chosen is None else chosen.socket_origin

    async def stop(self) -> None:
        """Wait for what runs in the background."""
        await self._sleeping.stop()


def choose_server(servers: Sequence[PlacedServer]) -> PlacedServer | None:
    """Return the server for a player, or None if all are full.

    It is the one that has the player's game; otherwise the fullest that keeps a margin, of equals the first; otherwise,
    if all have used up their margin, the one that can take the most games.
    """
    if (owner := next((server for server in servers if server.has_player), None)) is not None:
        return owner
    with_margin = [server for server in servers if server.games < server.max_games - margin(server.max_games)]
    if with_margin:
        return max(with_margin, key=lambda server: server.games)
    not_full = [server for server in servers if server.games < server.max_games]
    return max(not_full, key=lambda server: server.max_games - server.games, default=None)


def margin(max_games: int) -> int:
    """Return the number of games that a server with this maximum keeps free, at least one if it has more than one."""
    return min(math.ceil(max_games / MARGIN_FRACTION), max_games - 1)


def is_allowed(origin: str, allowed: Sequence[str]) -> bool:
    """Return whether the pages of this server may connect to an origin, by the same patterns as in their policy."""
    scheme, _, host = origin.partition("://")
    for pattern in allowed:
        allowed_scheme, _, allowed_host = pattern.partition("://")
        suffix = allowed_host.removeprefix("*")
        is_match = host == allowed_host or (suffix != allowed_host and host.endswith(suffix))
        if scheme == allowed_scheme and is_match:
            return True
    return False
