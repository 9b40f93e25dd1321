"""The life of a game process: wait for a message or the next deadline, and hand it to the session."""

import gc
import logging
import os
import select
import signal
import socket
import sys
import time

from skill_arcade.environments.making import make_stage
from skill_arcade.play.assignment import Assignment, Terms
from skill_arcade.play.clock import now_us
from skill_arcade.play.pipe import RECEIVED, Splitter, ToGame, ToServer, pack
from skill_arcade.play.provenance import describe_house
from skill_arcade.play.session import Session
from skill_arcade.recording.journal import Journal
from skill_arcade.telemetry import Format, name_process, set_up_logging
from skill_arcade.wire.close import CloseCode

log = logging.getLogger(__name__)


def run_game(pipe: socket.socket, log_format: Format = "text", log_level: str = "INFO") -> None:
    """Main of a game process: become the game that the first message assigns, and play it to its end."""
    set_up_logging(log_format, log_level)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    name_process("game")
    try:
        Runner(pipe).run()
    except Exception:
        # In one line with its trace, and not as the text that Python itself would write.
        log.exception("a game process failed")
        sys.exit(1)


class Runner:
    """Moves bytes and waits; all rules are the session's."""

    def __init__(self, pipe: socket.socket) -> None:
        self._pipe = pipe
        self._pipe.setblocking(True)
        self._splitter = Splitter()
        self._session: Session | None = None
        self._unwanted = False
        self._told_us = 0

    def run(self) -> None:
        """Until the session is finished, the server is gone, or nobody wants this process."""
        while not self._unwanted and (self._session is None or not self._session.finished):
            data = self._hear()
            if data == b"":
                self._server_gone()
                return
            for kind, payload in self._splitter.feed(data or b""):
                self._dispatch(kind, payload)
            session = self._session
            if session is not None and not session.finished:
                due = session.due_us
                if due is not None and (now := now_us()) >= due:
                    session.tick(now)
                    self._tell_lateness(session, now)
                elif session.idle:
                    session.prepare()
        self._pipe.close()

    def _tell_lateness(self, session: Session, now: int) -> None:
        """About once a second, for the server's metrics."""
        if now - self._told_us >= 1_000_000:
            late, session.worst_late_us, self._told_us = session.worst_late_us, 0, now
            _Sender(self._pipe).late(late)

    def _hear(self) -> bytes | None:
        """Wait until the server says something, or until something is due: None. Empty: the server is gone."""
        session = self._session
        due = session.due_us if session is not None else None
        seconds = None if due is None else max(0.0, (due - now_us()) / 1e6)
        if session is not None and session.ticking and seconds is not None:
            time.sleep(seconds)  # one awakening a step: what was said meanwhile is stamped already
            return self._read(socket.MSG_DONTWAIT)
        if session is not None and session.idle:
            seconds = 0.0
        # `poll` would round up to milliseconds.
        readable, _, _ = select.select([self._pipe], [], [], seconds)
        return self._read() if readable else None

    def _read(self, flags: int = 0) -> bytes | None:
        try:
            return self._pipe.recv(65536, flags)
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
            self._pipe.sendall(pack(ToServer.ATTACHED))
            session.attach(now)
        elif kind == ToGame.DETACH:
            session.detach(now)
        elif kind == ToGame.ROOM:
            session.no_room = payload.decode()
        elif kind == ToGame.STOP:
            session.stop(payload.decode(), now)

    def _become(self, assignment: Assignment) -> Session:
        folder = assignment.journal_folder
        session = Session(
            assignment.game,
            make_stage(assignment.game.environment),
            _Sender(self._pipe),
            lambda head: Journal(folder, head),
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
        self._pipe.sendall(pack(ToServer.READY))
        return session

    def _server_gone(self) -> None:
        log.warning("the server is gone; game process %d ends its episode", os.getpid())
        self._pipe = socket.socketpair()[0]
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
