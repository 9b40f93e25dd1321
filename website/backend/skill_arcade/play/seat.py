"""The server's end of one game: bytes in, bytes out, and who is attached."""

import asyncio
import logging
import socket
from collections import deque
from typing import Protocol, cast
from uuid import uuid4

from skill_arcade.play.assignment import Assignment
from skill_arcade.play.clock import now_us
from skill_arcade.play.door import Door
from skill_arcade.play.hosts import Place
from skill_arcade.play.pipe import RECEIVED, Splitter, ToGame, ToServer, pack
from skill_arcade.wire.close import REASONS, CloseCode
from skill_arcade.wire.messages import Notice

log = logging.getLogger(__name__)


MOST_WAITING = 1000
"""Messages that may wait for one socket."""
MOST_UNREAD = 4 << 20
"""Bytes that a game process may leave unread: one that hangs is ended, and its episode kept."""
STOPPING = "The server is restarting. Your game ends here, and all that you played is kept."


class Attachment:
    """One socket's view of a seat: what to send, in order. Ends when the socket is to be closed."""

    def __init__(self) -> None:
        self._waiting: deque[str | bytes] = deque()
        self._wake = asyncio.Event()
        self.closing: tuple[CloseCode, str] | None = None
        self.missed = False  # the game was over before it knew of this socket
        self.unheard: list[str] = []  # what its page has said so far, until the game knows of it

    def put(self, message: str | bytes) -> None:
        """Queue a message. Frames are bounded by the session (rule F2); whoever reads nothing at all is cut off."""
        if len(self._waiting) >= MOST_WAITING:
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


class Vacate(Protocol):
    """Told when a seat's game is gone."""

    def __call__(self, seat: "Seat") -> None:
        """The seat is free."""


class Seat(asyncio.Protocol):
    """A game in its process and, at most, one attached socket."""

    def __init__(self, place: Place, on_gone: Vacate) -> None:
        self.place = place
        self.name = uuid4().hex[:12]  # in the log, for what belongs together
        self.assignment: Assignment | None = None
        self.door: Door | None = None
        self.ready = asyncio.get_running_loop().create_future()  # done when its game is there, or never will be
        self.gone = asyncio.get_running_loop().create_future()
        self._on_gone = on_gone
        self._splitter = Splitter()
        self._attachment: Attachment | None = None
        self._unanswered = 0
        self._transport: asyncio.WriteTransport | None = None
        self._farewell = CloseCode.GAME_CRASHED
        self.stopped = False  # it was told to end: nobody is to come any more
        self.late_us = 0

    @classmethod
    async def open(cls, place: Place, pipe: socket.socket, on_gone: Vacate) -> "Seat":
        """Take the server's end of a game's pipe."""
        loop = asyncio.get_running_loop()
        _, seat = await loop.create_connection(lambda: cls(place, on_gone), sock=pipe)
        return seat

    def assign(self, assignment: Assignment) -> None:
        """Say which game it is."""
        self.assignment = assignment
        self._tell(ToGame.ASSIGN, assignment.model_dump_json().encode())

    def attach(self) -> Attachment:
        """Attach a socket; one that is attached already is closed."""
        if self._attachment is not None:
            self._attachment.close(CloseCode.TAKEN_OVER, REASONS[CloseCode.TAKEN_OVER])
            self._tell(ToGame.DETACH)
        self._attachment = Attachment()
        self._unanswered += 1
        self._tell(ToGame.ATTACH)
        return self._attachment

    def detach(self, attachment: Attachment) -> None:
        """The socket is gone. One that was taken over has nothing to say any more."""
        if attachment is self._attachment:
            self._attachment = None
            self._tell(ToGame.DETACH)

    def submit(self, text: str) -> None:
        """A text message from the page, stamped with its arrival."""
        if self._attachment is not None and self._unanswered:
            self._attachment.unheard.append(text)
        self._tell(ToGame.MESSAGE, RECEIVED.pack(now_us()) + text.encode(errors="replace"))

    def tell_room(self, refusal: str) -> None:
        """Say why no new episode may start here; empty: it may. One that runs is not touched."""
        self._tell(ToGame.ROOM, refusal.encode())

    def stop(self, reason: str, farewell: CloseCode = CloseCode.NORMAL) -> None:
        """End the episode, and the game; whoever is attached is told why."""
        self._farewell, self.stopped = farewell, True
        if self._attachment is not None and farewell is CloseCode.RESTARTING:
            self._attachment.put(Notice(type="notice", text=STOPPING).model_dump_json())
        self._tell(ToGame.STOP, reason.encode())

    # -- asyncio.Protocol ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The pipe is open."""
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's does not inherit from asyncio's

    def data_received(self, data: bytes) -> None:
        """Bytes from the game process."""
        attachment = self._attachment
        for kind, payload in self._splitter.feed(data):
            if kind == ToServer.ATTACHED:
                self._unanswered -= 1
                if attachment is not None and not self._unanswered:
                    attachment.unheard.clear()
            elif kind == ToServer.READY and not self.ready.done():
                self.ready.set_result(None)
            elif kind == ToServer.LATE:
                self.late_us = int.from_bytes(payload, "little")
            if attachment is None or self._unanswered:
                continue  # it was said to a socket that is gone
            if kind == ToServer.FRAME:
                attachment.put(payload)
            elif kind == ToServer.TEXT:
                attachment.put(payload.decode())
            elif kind == ToServer.CLOSE:
                attachment.close(CloseCode(int.from_bytes(payload[:2], "little")), payload[2:].decode())

    def connection_lost(self, exc: Exception | None) -> None:
        """The game has ended, by its own will or not."""
        self._transport = None
        if self._attachment is not None:
            self._attachment.missed = self._unanswered > 0
            self._attachment.close(self._farewell, REASONS[self._farewell])
        for end in (self.ready, self.gone):
            if not end.done():
                end.set_result(None)
        self._on_gone(self)

    def _tell(self, kind: ToGame, payload: bytes = b"") -> None:
        if self._transport is None:
            return
        if self._transport.get_write_buffer_size() > MOST_UNREAD:
            log.error("game process %s does not read its messages any more; it is killed", self.place.process.pid)
            self.place.process.kill()
            return
        self._transport.write(pack(kind, payload))
