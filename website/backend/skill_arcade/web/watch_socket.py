"""The WebSocket endpoint of watchers, who see a game live by a link of its player (rules O18 to O22)."""

import asyncio
import logging
from contextlib import suppress
from uuid import UUID

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from skill_arcade.errors import InvalidWatchLink, TooManyWatchers
from skill_arcade.play.connections.watch_hub import Watcher, WatchHub
from skill_arcade.web.live_games import find_watch_socket
from skill_arcade.web.models.play import WatchSocket
from skill_arcade.web.play_socket import SEND_TIMEOUT_SECONDS, SUBPROTOCOL, close_socket
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.state import State
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.error_table import REASONS, close_code_of

log = logging.getLogger(__name__)
router = APIRouter()
TOKEN_PREFIX = "watch."


@router.get("/ws/watch/servers/{server_id}", tags=["play"], responses=problem_answers(422, 503))
async def find_watched_server(server_id: UUID, state: State) -> WatchSocket:
    """Return where the games of a server can be watched. The part of a link's token before the dot names the server."""
    async with request_transaction(state.engine) as connection:
        return WatchSocket(socket=await find_watch_socket(connection, state, server_id))


@router.websocket("/ws/watch/live")
async def watch_game(socket: WebSocket, state: State) -> None:
    """Watch a game. The token of the link is a subprotocol, as in rule O16."""
    offered = socket.scope.get("subprotocols", [])
    await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
    token = next((part.removeprefix(TOKEN_PREFIX) for part in offered if part.startswith(TOKEN_PREFIX)), "")
    try:
        hub = state.sessions.watch_registry.find(token)
        watcher = hub.join()
    except (InvalidWatchLink, TooManyWatchers) as error:
        return await close_socket(socket, close_code_of(error) or CloseCode.NORMAL, str(error))
    await _relay(socket, hub, watcher)
    code, reason = watcher.closing or (CloseCode.NORMAL, "")
    return await close_socket(socket, code, reason)


async def _relay(socket: WebSocket, hub: WatchHub, watcher: Watcher) -> None:
    """Send what the hub has for this watcher, until either side closes."""
    reading = asyncio.create_task(_read(socket, watcher), name="read watcher")
    try:
        while messages := await watcher.get():
            async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                for message in messages:
                    if isinstance(message, bytes):
                        await socket.send_bytes(message)
                    else:
                        await socket.send_text(message)
    except WebSocketDisconnect:
        log.debug("watcher disconnected")
    except TimeoutError:
        watcher.close(CloseCode.TOO_SLOW, REASONS[CloseCode.TOO_SLOW])
    finally:
        hub.leave(watcher)
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading


async def _read(socket: WebSocket, watcher: Watcher) -> None:
    """Wait until the watcher disconnects. Watchers have nothing to say (rule O22)."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        watcher.close(CloseCode.NORMAL, "")
    else:
        watcher.close(CloseCode.BAD_MESSAGE, "a watcher must not send messages")
