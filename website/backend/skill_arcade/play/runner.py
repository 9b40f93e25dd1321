"""One game in a game process: bytes from the server to its session, and back."""

import gc
import logging
import os
import socket
import time

from skill_arcade.environments.stage import Stage
from skill_arcade.play.assignment import Assignment, Terms
from skill_arcade.play.clock import now_us
from skill_arcade.play.pipe import RECEIVED, Splitter, ToGame, ToServer, pack
from skill_arcade.play.provenance import describe_house
from skill_arcade.play.session import Session
from skill_arcade.play.stock import Stock
from skill_arcade.recording.journal import Journal
from skill_arcade.recording.records import Head
from skill_arcade.wire.close import CloseCode

log = logging.getLogger(__name__)


class Runner:
    """Moves bytes; all rules are the session's, and all waiting is the host's."""

    def __init__(self, pipe: socket.socket, stock: Stock) -> None:
        self.pipe = pipe
        self.pipe.setblocking(True)
        self._stock = stock
        self._splitter = Splitter()
        self._assignment: Assignment | None = None
        self._stage: Stage | None = None
        self._session: Session | None = None
        self._journal: Journal | None = None
        self._unwanted = False
        self._told_us = 0
        # What the host asks after each awakening; nothing of it changes in between.
        self.due_us: int | None = None
        """When the session has something to do; None: when it is told something."""
        self.ticking = False
        """True while what the server says can wait for the next step: it is stamped already."""
        self.idle = False
        """True when the next episode can be prepared."""
        self.finished = False
        """True once there is nothing left to do: the game is over for good, or was never wanted."""

    def turn(self) -> None:
        """Do what the server has said, and what is due or will be needed next."""
        self._hear()
        self._work()
        if (session := self._session) is not None:
            self.due_us, self.ticking, self.idle = session.due_us, session.ticking, session.idle
        self.finished = self._unwanted or (session is not None and session.finished)

    def _hear(self) -> None:
        data = self._read()
        if data == b"":
            self._server_gone()
        for kind, payload in self._splitter.feed(data or b""):
            self._dispatch(kind, payload)

    def _work(self) -> None:
        session = self._session
        if session is None or session.finished:
            return
        due = session.due_us
        if due is not None and (now := now_us()) >= due:
            session.tick(now)
            self._tell_lateness(session, now)
        elif session.idle:
            session.prepare()

    def close(self) -> None:
        """Give everything back: the stage to the stock, an unfinished record to delivery, and tell the server."""
        if self._journal is not None:
            self._journal.let_go()
        if self._stage is not None and self._assignment is not None:
            self._stock.put(self._assignment.game.environment, self._stage)
        self.pipe.close()

    def _tell_lateness(self, session: Session, now: int) -> None:
        """About once a second, for the server's metrics."""
        if now - self._told_us >= 1_000_000:
            late, session.worst_late_us, self._told_us = session.worst_late_us, 0, now
            _Sender(self.pipe).late(late)

    def _read(self) -> bytes | None:
        try:
            return self.pipe.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except ConnectionError:
            return b""

    def _dispatch(self, kind: int, payload: bytes) -> None:
        now, session = now_us(), self._session
        if kind == ToGame.ASSIGN:
            self._session = self._become(Assignment.model_validate_json(payload))
        elif session is None and kind == ToGame.STOP:
            self._unwanted = True
        elif session is None:
            raise ValueError(f"message {kind} before an assignment")
        elif kind == ToGame.MESSAGE:
            (received,) = RECEIVED.unpack_from(payload)
            session.receive(payload[RECEIVED.size :], received, now)
        elif kind == ToGame.ATTACH:
            self.pipe.sendall(pack(ToServer.ATTACHED))
            session.attach(now)
        elif kind == ToGame.DETACH:
            session.detach(now)
        elif kind == ToGame.ROOM:
            session.no_room = payload.decode()
        elif kind == ToGame.STOP:
            session.stop(payload.decode(), now)

    def _become(self, assignment: Assignment) -> Session:
        self._assignment, self._stage = assignment, self._stock.take(assignment.game.environment)
        session = Session(
            assignment.game,
            self._stage,
            _Sender(self.pipe),
            self._open_journal,
            Terms(
                user_id=assignment.user_id,
                provenance=describe_house(assignment),
                segment_us=round(assignment.segment_seconds * 1e6),
                resume_us=round(assignment.resume_seconds * 1e6),
                lockstep_module=assignment.lockstep_module,
            ),
            wall_us=lambda: time.time_ns() // 1000,
        )
        session.prepare()
        gc.collect()
        gc.freeze()
        self.pipe.sendall(pack(ToServer.READY))
        return session

    def _open_journal(self, head: Head) -> Journal:
        assert self._assignment is not None
        self._journal = Journal(self._assignment.journal_folder, head)
        return self._journal

    def _server_gone(self) -> None:
        log.warning("the server is gone; game process %d ends its episode", os.getpid())
        self._unwanted = True
        if self._session is not None:
            self._session.detach(now_us())
            self._session.stop("server-gone", now_us())


class _Sender:
    """The session's outbox: the pipe to the server."""

    def __init__(self, pipe: socket.socket) -> None:
        self._pipe = pipe

    def text(self, message: bytes) -> None:
        """Send a text message."""
        self._send(pack(ToServer.TEXT, message))

    def frame(self, packet: bytes) -> None:
        """Send a frame packet."""
        self._send(pack(ToServer.FRAME, packet))

    def close(self, code: CloseCode, reason: str) -> None:
        """Ask the server to close the socket."""
        self._send(pack(ToServer.CLOSE, code.to_bytes(2, "little") + reason.encode()))

    def late(self, worst_us: int) -> None:
        """Tell how late the ticks were."""
        self._send(pack(ToServer.LATE, worst_us.to_bytes(4, "little")))

    def _send(self, data: bytes) -> None:
        try:
            self._pipe.sendall(data)
        except ConnectionError:
            log.debug("the server is gone; the next read says so too")
