"""The server's end of one game: bytes in, bytes out, and who is attached."""

import asyncio
import logging
import socket
from collections import deque
from typing import Protocol, cast
from uuid import uuid4

from skill_arcade.play.assignment import GameAssignment
from skill_arcade.play.connections.player_connections import PlayerLock
from skill_arcade.play.processes.ipc import RECEIVED_TIME, MessageParser, ToGame, ToServer, pack
from skill_arcade.play.processes.process_pool import GameSlot
from skill_arcade.play.session.clock import now_us
from skill_arcade.wire.close_codes import REASONS, CloseCode
from skill_arcade.wire.messages import Notice

log = logging.getLogger(__name__)


MAX_QUEUED_MESSAGES = 1000
"""Messages that may wait for one socket."""
MAX_UNREAD_BYTES = 4 << 20
"""Bytes that a game process may leave unread: one that hangs is ended, and its episode kept."""
SHUTDOWN_REASON = "The server is restarting. Your game ends here, and all that you played is kept."


class ClientQueue:
    """One socket's view of a seat: what to send, in order. Ends when the socket is to be closed."""

    def __init__(self) -> None:
        self._waiting: deque[str | bytes] = deque()
        self._wake = asyncio.Event()
        self.closing: tuple[CloseCode, str] | None = None
        self.has_missed_attach = False  # the game was over before it knew of this socket
        self.unprocessed_messages: list[str] = []  # what its page has said so far, until the game knows of it

    def put(self, message: str | bytes) -> None:
        """Queue a message. Frames are bounded by the session (rule F2); whoever reads nothing at all is cut off."""
        if len(self._waiting) >= MAX_QUEUED_MESSAGES:
            self._waiting.clear()
            self.close(CloseCode.TOO_SLOW, REASONS[CloseCode.TOO_SLOW])
        if self.closing is not None:
            return
        self._waiting.append(message)
        self._wake.set()

    def close(self, code: CloseCode, reason: str) -> None:
        """Ask for the socket to be closed, after what is queued."""
        if self.closing is None:
            self.closing = code, reason
        self._wake.set()

    async def get(self) -> str | bytes | None:
        """The next message, or None when the socket is to be closed."""
        while not self._waiting:
            if self.closing is not None:
                return None
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.popleft()


class OnClosed(Protocol):
    """Told when a seat's game is gone."""

    def __call__(self, game_connection: "GameConnection") -> None:
        """The seat is free."""


class GameConnection(asyncio.Protocol):
    """A game in its process and, at most, one attached socket."""

    def __init__(self, place: GameSlot, on_gone: OnClosed) -> None:
        self.slot = place
        self.name = uuid4().hex[:12]  # in the log, for what belongs together
        self.assignment: GameAssignment | None = None
        self.lock: PlayerLock | None = None
        self.ready = asyncio.get_running_loop().create_future()  # done when its game is there, or never will be
        self.closed = asyncio.get_running_loop().create_future()
        self._on_closed = on_gone
        self._parser = MessageParser()
        self._client: ClientQueue | None = None
        self._unanswered_attaches = 0
        self._transport: asyncio.WriteTransport | None = None
        self._close_message = CloseCode.GAME_CRASHED
        self.stopped = False  # it was told to end: nobody is to come any more
        self.late_us = 0

    @classmethod
    async def open(cls, place: GameSlot, pipe: socket.socket, on_gone: OnClosed) -> "GameConnection":
        """Take the server's end of a game's pipe."""
        loop = asyncio.get_running_loop()
        _, game_connection = await loop.create_connection(lambda: cls(place, on_gone), sock=pipe)
        return game_connection

    def assign(self, assignment: GameAssignment) -> None:
        """Say which game it is."""
        self.assignment = assignment
        self._send(ToGame.ASSIGN, assignment.model_dump_json().encode())

    def attach(self) -> ClientQueue:
        """Attach a socket; one that is attached already is closed."""
        if self._client is not None:
            self._client.close(CloseCode.TAKEN_OVER, REASONS[CloseCode.TAKEN_OVER])
            self._send(ToGame.DETACH)
        self._client = ClientQueue()
        self._unanswered_attaches += 1
        self._send(ToGame.ATTACH)
        return self._client

    def detach(self, client_queue: ClientQueue) -> None:
        """The socket is gone. One that was taken over has nothing to say any more."""
        if client_queue is self._client:
            self._client = None
            self._send(ToGame.DETACH)

    def submit(self, text: str) -> None:
        """A text message from the page, stamped with its arrival."""
        if self._client is not None and self._unanswered_attaches:
            self._client.unprocessed_messages.append(text)
        self._send(ToGame.MESSAGE, RECEIVED_TIME.pack(now_us()) + text.encode(errors="replace"))

    def send_capacity_error(self, refusal: str) -> None:
        """Say why no new episode may start here; empty: it may. One that runs is not touched."""
        self._send(ToGame.CAPACITY_ERROR, refusal.encode())

    def stop(self, reason: str, close_message: CloseCode = CloseCode.NORMAL) -> None:
        """End the episode, and the game; whoever is attached is told why."""
        self._close_message, self.stopped = close_message, True
        if self._client is not None and close_message is CloseCode.RESTARTING:
            self._client.put(Notice(type="notice", text=SHUTDOWN_REASON).model_dump_json())
        self._send(ToGame.STOP, reason.encode())

    # -- asyncio.Protocol ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The pipe is open."""
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's does not inherit from asyncio's

    def data_received(self, data: bytes) -> None:
        """Bytes from the game process."""
        client_queue = self._client
        for kind, payload in self._parser.feed(data):
            if kind == ToServer.ATTACHED:
                self._unanswered_attaches -= 1
                if client_queue is not None and not self._unanswered_attaches:
                    client_queue.unprocessed_messages.clear()
            elif kind == ToServer.READY and not self.ready.done():
                self.ready.set_result(None)
            elif kind == ToServer.LATE:
                self.late_us = int.from_bytes(payload, "little")
            if client_queue is None or self._unanswered_attaches:
                continue  # it was said to a socket that is gone
            if kind == ToServer.FRAME:
                client_queue.put(payload)
            elif kind == ToServer.TEXT:
                client_queue.put(payload.decode())
            elif kind == ToServer.CLOSE:
                client_queue.close(CloseCode(int.from_bytes(payload[:2], "little")), payload[2:].decode())

    def connection_lost(self, exc: Exception | None) -> None:
        """The game has ended, by its own will or not."""
        self._transport = None
        if self._client is not None:
            self._client.has_missed_attach = self._unanswered_attaches > 0
            self._client.close(self._close_message, REASONS[self._close_message])
        for end in (self.ready, self.closed):
            if not end.done():
                end.set_result(None)
        self._on_closed(self)

    def _send(self, kind: ToGame, payload: bytes = b"") -> None:
        if self._transport is None:
            return
        if self._transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            log.error("game process %s does not read its messages any more; it is killed", self.slot.process.pid)
            self.slot.process.kill()
            return
        self._transport.write(pack(kind, payload))
