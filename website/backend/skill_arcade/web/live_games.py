"""Live games of agents on all servers of a database, and the server that a link to watch leads to (rule O18)."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.play.connections.session_manager import SessionManager
from skill_arcade.storage.database import servers
from skill_arcade.web.models.agents import LiveGame
from skill_arcade.web.placement import is_allowed
from skill_arcade.web.state import AppState


def list_live_games(sessions: SessionManager) -> list[dict[str, Any]]:
    """Describe the games of this server for its sign of life, as `find_live_games` reads them on another server."""
    return [{"agent": agent, **live.model_dump()} for agent, games in _list_own(sessions).items() for live in games]


async def find_live_games(connection: AsyncConnection, state: AppState) -> dict[str, list[LiveGame]]:
    """Return the games that agents play and that can be watched, by the agent's name.

    Those of this server are known at once. Those of another one are as old as its last sign of life, and are left out
    if pages may not connect to it.
    """
    live = _list_own(state.sessions)
    if allowed := state.settings.allowed_sockets:
        for origin, games in await servers.list_live_games(connection, state.heartbeat.server_id):
            if is_allowed(origin, allowed):
                for game in games:
                    live.setdefault(game["agent"], []).append(LiveGame.model_validate(game))
    return live


async def find_watch_socket(connection: AsyncConnection, state: AppState, server_id: UUID) -> str | None:
    """Return the origin of the socket of a server whose game is watched, or None for that of the request."""
    allowed = state.settings.allowed_sockets
    origin = await servers.find_socket_origin(connection, server_id) if allowed else None
    return origin if origin is not None and is_allowed(origin, allowed) else None


def _list_own(sessions: SessionManager) -> dict[str, list[LiveGame]]:
    live: dict[str, list[LiveGame]] = {}
    for agent, game, token in sessions.list_watchable_agents():
        found = LiveGame(game_id=game.id, game_name=game.name, version=agent.version, watch_token=token)
        live.setdefault(agent.name, []).append(found)
    return live
