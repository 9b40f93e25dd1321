"""The play socket: it moves messages between a page and its seat, and knows no rule of the game."""

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
from skill_arcade.web.state import AppState, State
from skill_arcade.web.token_bucket import MAX_MESSAGE_BYTES, TokenBucket
from skill_arcade.wire.close_codes import REASONS, CloseCode
from skill_arcade.wire.messages import Hello, read_client

log = logging.getLogger(__name__)
router = APIRouter()

MESSAGES_A_SECOND, MESSAGES_AT_ONCE = 200.0, 400.0
MAX_CONSECUTIVE_MESSAGES = 16
"""Of one socket, before the others have their turn."""
SEND_SECONDS, CLOSE_SECONDS, HELLO_SECONDS = 10.0, 1.0, 10.0
COOLDOWN_SECONDS = {CloseCode.RATE_LIMITED: 5.0, CloseCode.TOO_BIG: 1.0, CloseCode.BAD_MESSAGE: 1.0}
"""Who was closed for what no page does gets no ticket and no socket for so long."""
CODES: dict[type[ArcadeError], CloseCode] = {
    InvalidRequest: CloseCode.UNKNOWN_GAME,
    NotSignedIn: CloseCode.BAD_TICKET,
    TakenOver: CloseCode.TAKEN_OVER,
    TooManyGames: CloseCode.SERVER_FULL,
    TooManyRequests: CloseCode.RATE_LIMITED,
    ServerShuttingDown: CloseCode.RESTARTING,
    NotReady: CloseCode.RECORDING_UNAVAILABLE,
}
"""In this order: Stopping is a NotReady too."""
MAX_REASON_BYTES = 120
"""A close frame holds 123 bytes of reason (RFC 6455, section 5.5)."""


class ConnectionRejected(Exception):
    """The socket is closed with this code and reason."""

    def __init__(self, code: CloseCode, reason: str | None = None) -> None:
        super().__init__(reason or REASONS[code])
        self.code = code


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """Whose socket it is, and what they want to play."""

    connection: PlayerConnection
    game: Manifest
    options: dict[str, str]


@router.websocket("/ws/{game_id}")
async def play_game(socket: WebSocket, game_id: str, state: State, token: str = "") -> None:
    """Play a game; the ticket in `token` opens it, once. Other parameters are the game's options. See wire/SPEC.md."""
    number = state.sessions.next_connection_id()
    await socket.accept()
    join_request = None
    try:
        options = {name: value for name, value in socket.query_params.items() if name != "token"}
        join_request = _authorize(state, game_id, token, options, number)
        await state.users.check_known(join_request.connection.user_id)
        code, hello = CloseCode.NORMAL, await _receive_hello(socket, join_request.connection)
        if hello is not None:
            await state.users.check_known(
                join_request.connection.user_id
            )  # again: the account may have been erased since
            code = await _run_game(socket, state, join_request, hello)
    except (ConnectionRejected, ArcadeError) as refused:
        code = refused.code if isinstance(refused, ConnectionRejected) else _code_for(refused)
        log.info("a socket is refused: %d %s", code, code.name)
        await _close(socket, code, REASONS[code] if code is CloseCode.BAD_TICKET else str(refused))
    if join_request is not None and (seconds := COOLDOWN_SECONDS.get(code)) is not None:
        state.cooldowns.start(join_request.connection.user_id, seconds)


def _authorize(state: AppState, game_id: str, token: str, options: dict[str, str], number: int) -> JoinRequest:
    """Spend the ticket. Before anything is waited for the player is called: the newest socket has the seat."""
    game = state.catalogue.games.get(game_id)
    if game is None:
        raise ConnectionRejected(CloseCode.UNKNOWN_GAME)
    game.choose(options)
    user_id = state.tokens.redeem_ticket(token, game_id)
    state.cooldowns.check(user_id)
    return JoinRequest(state.sessions.register_connection(user_id, number), game, options)


def _code_for(error: ArcadeError) -> CloseCode:
    """The close code of what this package raised on purpose; what is none of it goes on as the crash that it is."""
    for kind, code in CODES.items():
        if isinstance(error, kind):
            return code
    raise error


async def _receive_hello(socket: WebSocket, connection: PlayerConnection) -> str | None:
    """The page's first message: before a whole `hello` no game is started for anybody. None: the page is gone."""
    hearing = asyncio.create_task(socket.receive(), name="hello")
    overtaken = asyncio.create_task(connection.is_superseded.wait(), name="overtaken")
    try:
        await asyncio.wait({hearing, overtaken}, timeout=HELLO_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        connection.ensure_latest()
        if not hearing.done():
            raise ConnectionRejected(CloseCode.TOO_SLOW)
        text = _read_text(hearing.result())
    finally:
        for task in (hearing, overtaken):
            task.cancel()
    if text is None:
        return None
    try:
        message = read_client(text.encode(errors="replace"))
    except ValueError as error:
        raise ConnectionRejected(CloseCode.BAD_MESSAGE, str(error)) from error
    if not isinstance(message, Hello):
        raise ConnectionRejected(CloseCode.BAD_MESSAGE, "hello must be the first message, and said once")
    return text


def _read_text(event: Message) -> str | None:
    """What the page says; None: it is gone. Raises Refused for what it may not say, and when it was cut off below."""
    if event["type"] == "websocket.disconnect":
        if (code := event.get("code")) in COOLDOWN_SECONDS:
            raise ConnectionRejected(CloseCode(code))
        return None
    text: str | None = event.get("text")
    if text is None:
        raise ConnectionRejected(CloseCode.BAD_MESSAGE, "binary messages are not understood here")
    if len(text) > MAX_MESSAGE_BYTES:
        raise ConnectionRejected(CloseCode.TOO_BIG)
    return text


async def _run_game(socket: WebSocket, state: AppState, join_request: JoinRequest, hello: str) -> CloseCode:
    """Play at the player's seat. If its game was over by itself in this very moment, they get a new one, once."""
    words = [hello]
    for again in (False, True):
        emulator = await state.emulator.get()
        game_connection = await state.sessions.get_or_start_game(
            join_request.connection,
            join_request.game,
            emulator.digest if emulator else None,
            join_request.options,
        )
        had_played = game_connection.ready.done()
        with log_context(session=game_connection.name, game=join_request.game.id):
            client_queue = await _relay_until_closed(socket, game_connection, words)
        if not client_queue.has_missed_attach or again or not had_played:
            break
        words = client_queue.unprocessed_messages
    code, reason = client_queue.closing or (CloseCode.NORMAL, "")
    await _close(socket, code, reason)
    return code


async def _relay_until_closed(socket: WebSocket, game_connection: GameConnection, words: list[str]) -> ClientQueue:
    """Relay until either end is done. `words`: what the page has said already, hello first."""
    client_queue = game_connection.attach()
    for text in words:
        game_connection.submit(text)
    begin = time.monotonic()
    log.info("a socket is attached")
    try:
        await _relay(socket, game_connection, client_queue)
    finally:
        game_connection.detach(client_queue)
        code = client_queue.closing[0] if client_queue.closing is not None else CloseCode.NORMAL
        log.info("a socket is detached after %.1f s: %d %s", time.monotonic() - begin, code, code.name)
    return client_queue


async def _relay(socket: WebSocket, game_connection: GameConnection, client_queue: ClientQueue) -> None:
    """Both directions until one of them ends."""
    listening = asyncio.create_task(_forward_messages(socket, game_connection, client_queue), name="listen")
    try:
        while (message := await client_queue.get()) is not None:
            async with asyncio.timeout(SEND_SECONDS):
                if isinstance(message, bytes):
                    await socket.send_bytes(message)
                else:
                    await socket.send_text(message)
    except WebSocketDisconnect:
        log.debug("the page is gone")
        await asyncio.wait({listening}, timeout=CLOSE_SECONDS)  # what it said last is heard: it may have been "leave"
    except TimeoutError:
        client_queue.close(CloseCode.TOO_SLOW, REASONS[CloseCode.TOO_SLOW])
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening


async def _forward_messages(socket: WebSocket, game_connection: GameConnection, client_queue: ClientQueue) -> None:
    """Pass on what the page says; when it is gone, end the other direction too."""
    bucket = TokenBucket(MESSAGES_A_SECOND, MESSAGES_AT_ONCE)
    for number in count(1):
        if number % MAX_CONSECUTIVE_MESSAGES == 0:
            await asyncio.sleep(0)
        try:
            text = _read_text(await socket.receive())
        except ConnectionRejected as refused:
            client_queue.close(refused.code, str(refused))
            return
        if text is None:
            client_queue.close(CloseCode.NORMAL, "")
            return
        if not bucket.take():
            client_queue.close(CloseCode.RATE_LIMITED, REASONS[CloseCode.RATE_LIMITED])
            return
        game_connection.submit(text)


async def _close(socket: WebSocket, code: CloseCode, reason: str) -> None:
    short = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
    with suppress(RuntimeError, WebSocketDisconnect, TimeoutError):  # it may be closed already
        async with asyncio.timeout(CLOSE_SECONDS):
            await socket.close(code, short)
