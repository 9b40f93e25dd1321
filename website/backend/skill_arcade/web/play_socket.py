"""The play socket: it moves messages between a page and its seat, and knows no rule of the game."""

import asyncio
import logging
import time
from contextlib import suppress
from itertools import count

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from skill_arcade.errors import InvalidRequest, NotReady, NotSignedIn, Stopping, TakenOver, TooManyGames
from skill_arcade.play.seat import Attachment, Seat
from skill_arcade.telemetry import labelled
from skill_arcade.web.limits import LONGEST_MESSAGE, Bucket
from skill_arcade.web.state import AppState, State
from skill_arcade.wire.close import REASONS, CloseCode

log = logging.getLogger(__name__)
router = APIRouter()

MESSAGES_A_SECOND, MESSAGES_AT_ONCE = 200.0, 400.0
MESSAGES_IN_A_ROW = 16
"""Of one socket, before the others have their turn."""
SEND_SECONDS, CLOSE_SECONDS = 10.0, 1.0
REASON_BYTES = 120
"""A close frame holds 123 bytes of reason (RFC 6455, section 5.5)."""


class Refused(Exception):
    """The socket is closed with this code and reason."""

    def __init__(self, code: CloseCode, reason: str | None = None) -> None:
        super().__init__(reason or REASONS[code])
        self.code = code


@router.websocket("/ws/{game_id}")
async def play_game(socket: WebSocket, game_id: str, state: State, token: str = "") -> None:
    """Play a game; the ticket in `token` opens it, once. Other parameters are the game's options. See wire/SPEC.md."""
    number = state.roster.number()
    await socket.accept()
    try:
        options = {name: value for name, value in socket.query_params.items() if name != "token"}
        seat = await _take_seat(state, game_id, token, options, number)
    except Refused as refused:
        log.info("a socket is refused: %d %s", refused.code, refused.code.name)
        await _close(socket, refused.code, str(refused))
        return
    with labelled(session=seat.name, game=game_id):
        await _play(socket, seat)


async def _play(socket: WebSocket, seat: Seat) -> None:
    attachment = seat.attach()
    begin = time.monotonic()
    log.info("a socket is attached")
    try:
        await _relay(socket, seat, attachment)
    finally:
        seat.detach(attachment)
        code = attachment.closing[0] if attachment.closing is not None else CloseCode.NORMAL
        log.info("a socket is detached after %.1f s: %d %s", time.monotonic() - begin, code, code.name)


async def _take_seat(state: AppState, game_id: str, token: str, options: dict[str, str], number: int) -> Seat:
    game = state.catalogue.games.get(game_id)
    if game is None:
        raise Refused(CloseCode.UNKNOWN_GAME)
    try:
        game.choose(options)
        user_id = state.tokens.redeem_ticket(token, game_id)
        caller = state.roster.call(user_id, number)  # before anything is waited for: the newest socket has the seat
        await state.people.check_known(user_id)
        emulator = await state.emulator.look()
        return await state.roster.seat(caller, game, emulator.digest if emulator else None, options)
    except InvalidRequest as error:
        raise Refused(CloseCode.UNKNOWN_GAME, str(error)) from error
    except NotSignedIn as error:
        raise Refused(CloseCode.BAD_TICKET) from error
    except TakenOver as error:
        raise Refused(CloseCode.TAKEN_OVER, str(error)) from error
    except TooManyGames as error:
        raise Refused(CloseCode.FULL, str(error)) from error
    except Stopping as error:
        raise Refused(CloseCode.RESTARTING, str(error)) from error
    except NotReady as error:
        raise Refused(CloseCode.NO_ROOM, str(error)) from error


async def _relay(socket: WebSocket, seat: Seat, attachment: Attachment) -> None:
    """Both directions until one of them ends."""
    listening = asyncio.create_task(_listen(socket, seat, attachment), name="listen")
    try:
        while (message := await attachment.get()) is not None:
            async with asyncio.timeout(SEND_SECONDS):
                if isinstance(message, bytes):
                    await socket.send_bytes(message)
                else:
                    await socket.send_text(message)
        if attachment.closing is not None:
            await _close(socket, *attachment.closing)
    except WebSocketDisconnect:
        log.debug("the page is gone")
        await asyncio.wait({listening}, timeout=CLOSE_SECONDS)  # what it said last is heard: it may have been "leave"
    except TimeoutError:
        await _close(socket, CloseCode.TOO_SLOW, REASONS[CloseCode.TOO_SLOW])
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening


async def _listen(socket: WebSocket, seat: Seat, attachment: Attachment) -> None:
    """Pass on what the page says; when it is gone, end the other direction too."""
    bucket = Bucket(MESSAGES_A_SECOND, MESSAGES_AT_ONCE)
    for number in count(1):
        if number % MESSAGES_IN_A_ROW == 0:
            await asyncio.sleep(0)
        event = await socket.receive()
        if event["type"] == "websocket.disconnect":
            flood = event.get("code") == CloseCode.TOO_FAST  # found below the messages
            attachment.close(CloseCode.TOO_FAST if flood else CloseCode.NORMAL, "")
            return
        text = event.get("text")
        if text is None:
            attachment.close(CloseCode.BAD_MESSAGE, "binary messages are not understood here")
            return
        if len(text) > LONGEST_MESSAGE:
            attachment.close(CloseCode.TOO_BIG, REASONS[CloseCode.TOO_BIG])
            return
        if not bucket.take():
            attachment.close(CloseCode.TOO_FAST, REASONS[CloseCode.TOO_FAST])
            return
        seat.submit(text)


async def _close(socket: WebSocket, code: CloseCode, reason: str) -> None:
    short = reason.encode()[:REASON_BYTES].decode(errors="ignore")
    with suppress(RuntimeError, WebSocketDisconnect, TimeoutError):  # it may be closed already
        async with asyncio.timeout(CLOSE_SECONDS):
            await socket.close(code, short)
