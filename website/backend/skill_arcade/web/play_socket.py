"""The WebSocket endpoint of the game: it relays messages between a page and its game, and knows no rule of the game.

It handles the ticket, `hello`, reconnects and takeovers, timeouts, and the rate limit of messages.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from uuid import UUID

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.types import Message

from skill_arcade.errors import (
    ArcadeError,
    InvalidRequest,
    NotFound,
)
from skill_arcade.games.manifest import Manifest
from skill_arcade.play.assignment import Branch, GameRequest, Ghost
from skill_arcade.play.connections.game_connection import ClientQueue, GameConnection
from skill_arcade.play.connections.player_connections import PlayerConnection
from skill_arcade.telemetry import log_context
from skill_arcade.web.branches import find_branch
from skill_arcade.web.client_address import client_key
from skill_arcade.web.ghosts import find_ghost
from skill_arcade.web.rate_limiting.table import (
    COOLDOWN_SECONDS,
    MAX_MESSAGE_BYTES,
    MESSAGES,
    PROGRAM_MESSAGES,
    RateLimit,
)
from skill_arcade.web.rate_limiting.token_bucket import TokenBucket
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.state import AppState, State
from skill_arcade.web.uvicorn_protocols.websocket import find_protocol, use_program_limits
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.error_table import REASONS, close_code_of
from skill_arcade.wire.messages import Hello, Notice, read_client

log = logging.getLogger(__name__)
router = APIRouter()

SUBPROTOCOL, TICKET_PREFIX = "skill-arcade", "ticket."
MAX_CONSECUTIVE_MESSAGES = 16
"""Messages of one connection before other connections get their turn."""
SEND_TIMEOUT_SECONDS, CLOSE_TIMEOUT_SECONDS, HELLO_TIMEOUT_SECONDS = 10.0, 1.0, 10.0
PREPARED_SECONDS = 20.0
"""Time for which a prepared game waits for its player."""
MOVING_NOTICE = "Your game is moving to another server…"
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
    day: str | None
    """Day of the daily challenge that the ticket is for, or None."""
    ghost: UUID | None
    trial: str | None
    """Key of the trial of a study that the ticket is for, or None."""
    branch: tuple[UUID, int] | None
    """Episode, and number of its frame, to play from, or None."""
    agent_version: int | None
    """Number of the version of the agent that plays, or None."""
    agent: str | None
    """Agent that plays until the person takes over, or None."""
    is_preparation: bool
    """The game is only prepared, and ends if nobody plays it soon (rule O40)."""
    nonce: str


@router.websocket("/ws/{game_id}")
async def play_game(socket: WebSocket, game_id: str, state: State, token: str = "") -> None:
    """Play a game. The play ticket is a subprotocol; query parameters are options of the game. See wire/SPEC.md.

    `token` is the ticket of pages that were loaded from the previous release.
    """
    connection_id = state.sessions.next_connection_id()
    ticket = find_ticket(socket.scope.get("subprotocols", [])) or token
    # A browser closes the connection if none of the subprotocols that it offers is selected.
    await socket.accept(SUBPROTOCOL if SUBPROTOCOL in socket.scope.get("subprotocols", []) else None)
    join_request = None
    try:
        options = {name: value for name, value in socket.query_params.items() if name != "token"}
        join_request = _authorize(state, game_id, ticket, options, connection_id)
        await state.leases.spend_play_ticket(join_request.nonce)
        await state.users.check_known(join_request.connection.user_id)
        code, hello = CloseCode.NORMAL, await _receive_hello(socket, join_request.connection)
        if hello is not None:
            # Again, because the account may have been erased since.
            await state.users.check_known(join_request.connection.user_id)
            code = await _run_game(socket, state, join_request, hello)
    except (ConnectionRejected, ArcadeError) as error:
        code = error.code if isinstance(error, ConnectionRejected) else _code_for(error)
        log.info("connection rejected code=%d reason=%s", code, code.name)
        await close_socket(socket, code, REASONS[code] if code is CloseCode.BAD_TICKET else str(error))
    if join_request is not None and (seconds := COOLDOWN_SECONDS.get(code)) is not None:
        state.cooldowns.start(join_request.connection.user_id, seconds)


def find_ticket(subprotocols: Sequence[str]) -> str:
    """Return the play ticket among the subprotocols that the client offers, or an empty string."""
    offered = (part.removeprefix(TICKET_PREFIX) for part in subprotocols if part.startswith(TICKET_PREFIX))
    return next(offered, "")


def _authorize(state: AppState, game_id: str, token: str, options: dict[str, str], connection_id: int) -> JoinRequest:
    """Redeem the ticket, and register the connection before anything is awaited, so that the newest connection wins."""
    found = state.catalogue.find(game_id, options)
    if found is None:
        raise ConnectionRejected(CloseCode.UNKNOWN_GAME)
    game, options = found
    ticket = state.tokens.redeem_ticket(token, game_id)
    if ticket.trial is not None or ticket.branch is not None:
        options = {}  # those of the study, or of the episode that it branches from
    if ticket.daily is not None and options:
        raise InvalidRequest("The daily challenge has no options. Open it from the list of games.")
    state.cooldowns.check(ticket.user_id)
    if ticket.is_preparation and state.sessions.is_in_game(ticket.user_id):
        raise ConnectionRejected(CloseCode.TAKEN_OVER)
    connection = state.sessions.register_connection(ticket.user_id, connection_id)
    return JoinRequest(
        connection,
        game,
        options,
        ticket.daily,
        ticket.ghost,
        ticket.trial,
        ticket.branch,
        ticket.agent_version,
        ticket.agent,
        ticket.is_preparation,
        ticket.nonce,
    )


def _code_for(error: ArcadeError) -> CloseCode:
    """Return the close code of an exception of this package. Exceptions without a code are raised again as a crash."""
    if (code := close_code_of(error)) is None:
        raise error
    return code


async def _receive_hello(socket: WebSocket, connection: PlayerConnection) -> Hello | None:
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
        message = read_client(text)
    except ValueError as error:
        raise ConnectionRejected(CloseCode.BAD_MESSAGE, str(error)) from error
    if not isinstance(message, Hello):
        raise ConnectionRejected(CloseCode.BAD_MESSAGE, "hello must be the first message and must be sent only once")
    return message


def _read_text(event: Message) -> bytes | None:
    """Return the next text message in UTF-8, or None if the client disconnected.

    ASGI gives text as `str`; from here to the game it stays bytes.

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
    return text.encode(errors="replace")


async def _run_game(socket: WebSocket, state: AppState, join_request: JoinRequest, hello: Hello) -> CloseCode:
    """Play until either side closes; if the game had ended just before it was attached, retry once with a new one."""
    texts: list[bytes] = []
    game, daily, study, options = join_request.game, None, None, join_request.options
    ghost = await _find_ghost(state, join_request)
    user_id, uses_lockstep, branch = join_request.connection.user_id, join_request.branch is None, None
    if join_request.branch is not None:
        branch, options = await _find_branch(state, join_request.branch, game)
    if join_request.trial is not None:
        trial = await state.studies.trials.assign(user_id, join_request.trial)
        game, options, study, ghost = trial.game, trial.options, trial.study, trial.ghost
        uses_lockstep = trial.uses_lockstep
    consent = await state.consents.check_play(
        user_id, is_daily=join_request.day is not None, study=None if study is None else study.name
    )
    if join_request.agent_version is not None:
        consent = await state.agents.join(consent, user_id, join_request.agent_version, game.id)
    if join_request.day is not None:
        game, daily = await state.daily.assign(join_request.day, game)
    if consent.is_program:
        use_program_limits(socket.scope)
    request = GameRequest(
        game,
        options,
        daily=daily,
        ghost=ghost,
        study=study,
        branch=branch,
        agent=join_request.agent,
        consent=consent,
    )
    limit = PROGRAM_MESSAGES if consent.is_program else MESSAGES
    async with state.leases.holding(join_request.connection):
        for is_retry in (False, True):
            emulator = await state.emulator.get() if uses_lockstep else None
            game_connection = await state.sessions.get_or_start_game(
                join_request.connection,
                replace(request, lockstep_module=emulator.digest if emulator else None),
                client_key(socket.client.host if socket.client else ""),
                partial(_tell_moving, socket),
            )
            was_ready = game_connection.ready.done()
            with log_context(session=game_connection.name, game=join_request.game.id):
                expires = PREPARED_SECONDS if join_request.is_preparation else None
                client_queue = await _relay_until_closed(socket, game_connection, hello, texts, limit, expires)
            if join_request.is_preparation:
                if not game_connection.is_in_use:
                    game_connection.stop("left")
                break
            if not client_queue.has_missed_attach or is_retry or not was_ready:
                break
            texts = client_queue.unprocessed_messages
    code, reason = client_queue.closing or (CloseCode.NORMAL, "")
    await close_socket(socket, code, reason)
    return code


async def _tell_moving(socket: WebSocket) -> None:
    """Tell the page, before `welcome`, why it waits."""
    with suppress(RuntimeError, WebSocketDisconnect, TimeoutError):  # a lost connection is noticed when it is read
        async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
            await socket.send_text(Notice(type="notice", text=MOVING_NOTICE).model_dump_json())


async def _find_ghost(state: AppState, join_request: JoinRequest) -> Ghost | None:
    """Return the ghost that the ticket names. The seed is read from its episode, so that no page can choose one."""
    if join_request.ghost is None:
        return None
    try:
        async with request_transaction(state.engine) as connection:
            return await find_ghost(
                connection, join_request.ghost, state.catalogue, join_request.game, join_request.options
            )
    except NotFound as error:
        raise ConnectionRejected(CloseCode.UNKNOWN_GAME, str(error)) from error


async def _find_branch(state: AppState, frame: tuple[UUID, int], game: Manifest) -> tuple[Branch, dict[str, str]]:
    """Return the branch that the ticket names, and the options of its game."""
    try:
        return await find_branch(state, *frame, game)
    except NotFound as error:
        raise ConnectionRejected(CloseCode.UNKNOWN_GAME, str(error)) from error


async def _relay_until_closed(
    socket: WebSocket,
    game_connection: GameConnection,
    hello: Hello,
    texts: list[bytes],
    limit: RateLimit,
    expires: float | None,
) -> ClientQueue:
    """Relay until either side closes, or for `expires` seconds.

    `texts` are the messages that the page has sent after `hello` already.
    """
    client_queue = game_connection.attach(hello)
    if expires is not None:
        asyncio.get_running_loop().call_later(expires, client_queue.close, CloseCode.IDLE, REASONS[CloseCode.IDLE])
    for text in texts:
        game_connection.submit(client_queue, text)
    started_at = time.monotonic()
    log.info("client attached")
    try:
        await _relay(socket, game_connection, client_queue, limit)
    finally:
        game_connection.detach(client_queue)
        code = client_queue.closing[0] if client_queue.closing is not None else CloseCode.NORMAL
        log.info("client detached duration_s=%.1f code=%d reason=%s", time.monotonic() - started_at, code, code.name)
    return client_queue


async def _relay(
    socket: WebSocket, game_connection: GameConnection, client_queue: ClientQueue, limit: RateLimit
) -> None:
    """Relay in both directions until one of them ends. Most messages take the direct ways of the protocol."""
    forward = partial(_forward_message, game_connection, client_queue, TokenBucket(limit))
    forward_task = asyncio.create_task(_forward_messages(socket, client_queue, forward), name="forward messages")
    if (protocol := find_protocol(socket.scope)) is not None:
        client_queue.write_now, protocol.on_text = protocol.write_now, forward
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
        if protocol is not None:
            protocol.on_text = None
        forward_task.cancel()
        with suppress(asyncio.CancelledError):
            await forward_task


def _forward_message(
    game_connection: GameConnection, client_queue: ClientQueue, bucket: TokenBucket, text: bytes
) -> None:
    """Forward a message of the page to the game, or close the connection if it exceeds the rate limit."""
    if bucket.take():
        game_connection.submit(client_queue, text)
    else:
        client_queue.close(CloseCode.RATE_LIMITED, REASONS[CloseCode.RATE_LIMITED])


async def _forward_messages(socket: WebSocket, client_queue: ClientQueue, forward: Callable[[bytes], None]) -> None:
    """Forward messages of the page to the game; when the client disconnects, end the other direction too."""
    for number in count(1):
        if number % MAX_CONSECUTIVE_MESSAGES == 0:
            await asyncio.sleep(0)
        try:
            text = _read_text(await socket.receive())
        except ConnectionRejected as error:
            client_queue.close(error.code, str(error))
            return
        if text is None:
            client_queue.close(CloseCode.NORMAL, "")
            return
        forward(text)


async def close_socket(socket: WebSocket, code: CloseCode, reason: str) -> None:
    """Close a WebSocket with a code and a reason; it may be closed already."""
    shortened = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
    with suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
        async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
            await socket.close(code, shortened)
