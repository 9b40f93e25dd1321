"""The WebSocket endpoint of the game: it relays messages between a page and its game, and knows no rule of the game.

It handles the ticket, `hello`, reconnects and takeovers, timeouts, and the rate limit of messages.
"""

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.types import Message

from skill_arcade.errors import (
    ArcadeError,
    InvalidRequest,
    NotReady,
    NotSignedIn,
    ServerShuttingDown,
    TakenOver,
    TooManyGames,
    TooManyRequests,
)
from skill_arcade.games.manifest import Manifest
from skill_arcade.play.connections.game_connection import ClientQueue, GameConnection
from skill_arcade.play.connections.player_connections import PlayerConnection
from skill_arcade.telemetry import log_context
from skill_arcade.web.rate_limit import client_key
from skill_arcade.web.state import AppState, State
from skill_arcade.web.token_bucket import MAX_MESSAGE_BYTES, TokenBucket
from skill_arcade.wire.close_codes import REASONS, CloseCode
from skill_arcade.wire.messages import Hello, read_client

log = logging.getLogger(__name__)
router = APIRouter()

MAX_MESSAGES_PER_SECOND, MAX_BURST_MESSAGES = 200.0, 400.0
MAX_CONSECUTIVE_MESSAGES = 16
"""Messages of one connection before other connections get their turn."""
SEND_TIMEOUT_SECONDS, CLOSE_TIMEOUT_SECONDS, HELLO_TIMEOUT_SECONDS = 10.0, 1.0, 10.0
COOLDOWN_SECONDS = {CloseCode.RATE_LIMITED: 5.0, CloseCode.TOO_BIG: 1.0, CloseCode.BAD_MESSAGE: 1.0}
"""Cooldown after a protocol violation, during which the player gets no ticket and no connection."""
CLOSE_CODES: dict[type[ArcadeError], CloseCode] = {
    InvalidRequest: CloseCode.UNKNOWN_GAME,
    NotSignedIn: CloseCode.BAD_TICKET,
    TakenOver: CloseCode.TAKEN_OVER,
    TooManyGames: CloseCode.SERVER_FULL,
    TooManyRequests: CloseCode.RATE_LIMITED,
    ServerShuttingDown: CloseCode.RESTARTING,
    NotReady: CloseCode.RECORDING_UNAVAILABLE,
}
"""Checked in this order, because ServerShuttingDown is a NotReady."""
MAX_REASON_BYTES = 120
"""Below the 123 bytes of reason that fit into a close frame (RFC 6455, section 5.5)."""


class ConnectionRejected(Exception):
    """The connection must be closed with this code and reason."""

    def __init__(self, code: CloseCode, reason: str | None = None) -> None:
        super().__init__(reason or REASONS[code])
        self.code = code


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """The player's connection, and the game that they want to play."""

    connection: PlayerConnection
    game: Manifest
    options: dict[str, str]


@router.websocket("/ws/{game_id}")
async def play_game(socket: WebSocket, game_id: str, state: State, token: str = "") -> None:
    """Play a game. `token` is a play ticket; other query parameters are options of the game. See wire/SPEC.md."""
    connection_id = state.sessions.next_connection_id()
    await socket.accept()
    join_request = None
    try:
        options = {name: value for name, value in socket.query_params.items() if name != "token"}
        join_request = _authorize(state, game_id, token, options, connection_id)
        await state.users.check_known(join_request.connection.user_id)
        code, hello = CloseCode.NORMAL, await _receive_hello(socket, join_request.connection)
        if hello is not None:
            # Again, because the account may have been erased since.
            await state.users.check_known(join_request.connection.user_id)
            code = await _run_game(socket, state, join_request, hello)
    except (ConnectionRejected, ArcadeError) as error:
        code = error.code if isinstance(error, ConnectionRejected) else _code_for(error)
        log.info("connection rejected code=%d reason=%s", code, code.name)
        await _close(socket, code, REASONS[code] if code is CloseCode.BAD_TICKET else str(error))
    if join_request is not None and (seconds := COOLDOWN_SECONDS.get(code)) is not None:
        state.cooldowns.start(join_request.connection.user_id, seconds)


def _authorize(state: AppState, game_id: str, token: str, options: dict[str, str], connection_id: int) -> JoinRequest:
    """Redeem the ticket, and register the connection before anything is awaited, so that the newest connection wins."""
    game = state.catalogue.games.get(game_id)
    if game is None:
        raise ConnectionRejected(CloseCode.UNKNOWN_GAME)
    game.choose(options)
    user_id = state.tokens.redeem_ticket(token, game_id)
    state.cooldowns.check(user_id)
    return JoinRequest(state.sessions.register_connection(user_id, connection_id), game, options)


def _code_for(error: ArcadeError) -> CloseCode:
    """Return the close code of an exception of this package. Exceptions without a code are raised again as a crash."""
    for kind, code in CLOSE_CODES.items():
        if isinstance(error, kind):
            return code
    raise error


async def _receive_hello(socket: WebSocket, connection: PlayerConnection) -> str | None:
    """Return the page's first message, or None if the client disconnected.

    No game is started before a complete `hello`.

    Raises:
        ConnectionRejected: the message is invalid, or did not arrive before the timeout.
        TakenOver: a newer connection of the same player exists.
    """
    receive_task = asyncio.create_task(socket.receive(), name="hello")
    superseded_task = asyncio.create_task(connection.is_superseded.wait(), name="superseded")
    try:
        await asyncio.wait(
            {receive_task, superseded_task}, timeout=HELLO_TIMEOUT_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        connection.ensure_latest()
        if not receive_task.done():
            raise ConnectionRejected(CloseCode.TOO_SLOW)
        text = _read_text(receive_task.result())
    finally:
        for task in (receive_task, superseded_task):
            task.cancel()
    if text is None:
        return None
    try:
        message = read_client(text.encode(errors="replace"))
    except ValueError as error:
        raise ConnectionRejected(CloseCode.BAD_MESSAGE, str(error)) from error
    if not isinstance(message, Hello):
        raise ConnectionRejected(CloseCode.BAD_MESSAGE, "hello must be the first message and must be sent only once")
    return text


def _read_text(event: Message) -> str | None:
    """Return the next text message, or None if the client disconnected.

    Raises:
        ConnectionRejected: the message is invalid, or the protocol layer closed the connection for exceeding a limit.
    """
    if event["type"] == "websocket.disconnect":
        if (code := event.get("code")) in COOLDOWN_SECONDS:
            raise ConnectionRejected(CloseCode(code))
        return None
    text: str | None = event.get("text")
    if text is None:
        raise ConnectionRejected(CloseCode.BAD_MESSAGE, "binary messages are not supported")
    if len(text) > MAX_MESSAGE_BYTES:
        raise ConnectionRejected(CloseCode.TOO_BIG)
    return text


async def _run_game(socket: WebSocket, state: AppState, join_request: JoinRequest, hello: str) -> CloseCode:
    """Play until either side closes; if the game had ended just before it was attached, retry once with a new one."""
    texts = [hello]
    for is_retry in (False, True):
        emulator = await state.emulator.get()
        game_connection = await state.sessions.get_or_start_game(
            join_request.connection,
            join_request.game,
            emulator.digest if emulator else None,
            join_request.options,
            client_key(socket.client.host if socket.client else ""),
        )
        was_ready = game_connection.ready.done()
        with log_context(session=game_connection.name, game=join_request.game.id):
            client_queue = await _relay_until_closed(socket, game_connection, texts)
        if not client_queue.has_missed_attach or is_retry or not was_ready:
            break
        texts = client_queue.unprocessed_messages
    code, reason = client_queue.closing or (CloseCode.NORMAL, "")
    await _close(socket, code, reason)
    return code


async def _relay_until_closed(socket: WebSocket, game_connection: GameConnection, texts: list[str]) -> ClientQueue:
    """Relay until either side closes. `texts` are the messages that the page has sent already, `hello` first."""
    client_queue = game_connection.attach()
    for text in texts:
        game_connection.submit(text)
    started_at = time.monotonic()
    log.info("client attached")
    try:
        await _relay(socket, game_connection, client_queue)
    finally:
        game_connection.detach(client_queue)
        code = client_queue.closing[0] if client_queue.closing is not None else CloseCode.NORMAL
        log.info("client detached duration_s=%.1f code=%d reason=%s", time.monotonic() - started_at, code, code.name)
    return client_queue


async def _relay(socket: WebSocket, game_connection: GameConnection, client_queue: ClientQueue) -> None:
    """Relay in both directions until one of them ends."""
    forward_task = asyncio.create_task(
        _forward_messages(socket, game_connection, client_queue), name="forward messages"
    )
    try:
        while (message := await client_queue.get()) is not None:
            async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                if isinstance(message, bytes):
                    await socket.send_bytes(message)
                else:
                    await socket.send_text(message)
    except WebSocketDisconnect:
        log.debug("client disconnected")
        await asyncio.wait(
            {forward_task}, timeout=CLOSE_TIMEOUT_SECONDS
        )  # forward its last messages, for example `leave`
    except TimeoutError:
        client_queue.close(CloseCode.TOO_SLOW, REASONS[CloseCode.TOO_SLOW])
    finally:
        forward_task.cancel()
        with suppress(asyncio.CancelledError):
            await forward_task


async def _forward_messages(socket: WebSocket, game_connection: GameConnection, client_queue: ClientQueue) -> None:
    """Forward messages of the page to the game; when the client disconnects, end the other direction too."""
    bucket = TokenBucket(MAX_MESSAGES_PER_SECOND, MAX_BURST_MESSAGES)
    for connection_id in count(1):
        if connection_id % MAX_CONSECUTIVE_MESSAGES == 0:
            await asyncio.sleep(0)
        try:
            text = _read_text(await socket.receive())
        except ConnectionRejected as error:
            client_queue.close(error.code, str(error))
            return
        if text is None:
            client_queue.close(CloseCode.NORMAL, "")
            return
        if not bucket.take():
            client_queue.close(CloseCode.RATE_LIMITED, REASONS[CloseCode.RATE_LIMITED])
            return
        game_connection.submit(text)


async def _close(socket: WebSocket, code: CloseCode, reason: str) -> None:
    shortened = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
    with suppress(RuntimeError, WebSocketDisconnect, TimeoutError):  # the connection may be closed already
        async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
            await socket.close(code, shortened)
