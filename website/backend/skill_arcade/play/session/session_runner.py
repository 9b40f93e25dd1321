"""Runs one session inside a game process.

It reads the server's messages from a pipe, and calls the session when it is due.
"""

import faulthandler
import gc
import logging
import os
import select
import socket
import time

from skill_arcade.agents.catalogue import find_agent
from skill_arcade.environments.playable_env import PlayableEnv
from skill_arcade.errors import EnvironmentFailed, UnsupportedEnvironment
from skill_arcade.play.assignment import Branch, GameAssignment, ResumedEpisode, SessionConfig
from skill_arcade.play.processes.environment_pool import EnvironmentPool
from skill_arcade.play.processes.ipc import (
    LATE_COUNTS,
    RECEIVED_TIME,
    WATCHER_COUNT,
    MessageParser,
    ToGame,
    ToServer,
    pack,
)
from skill_arcade.play.session.clock import now_us
from skill_arcade.play.session.failures import describe_crash
from skill_arcade.play.session.provenance import describe_server
from skill_arcade.play.session.resumption import ResumeFailed, Resumption
from skill_arcade.play.session.session import Session
from skill_arcade.recording.journal import EpisodeJournal, Journal, UnrecordedJournal
from skill_arcade.recording.records import SegmentHeader
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.messages import Hello

log = logging.getLogger(__name__)

MAX_CLOSE_SECONDS = 10
"""Time that closing an environment may take. After it the process writes a traceback to the log and exits."""
NOT_BRANCHED_REASON = "This frame cannot be played from here, because repeating its game leads to another picture."
NOT_RESUMED_NOTICE = "Your game could not be moved to another server, and has ended. Everything you played is saved."


class SessionRunner:
    """Moves bytes between pipe and session. The rules are the session's, and the waiting is the game process's."""

    def __init__(self, pipe: socket.socket, pool: EnvironmentPool) -> None:
        self.pipe = pipe
        self.pipe.setblocking(True)
        self._readable = select.poll()
        self._readable.register(pipe, select.POLLIN)
        self._sink = _PipeSink(pipe)
        self._pool = pool
        self._parser = MessageParser()
        self._assignment: GameAssignment | None = None
        self._environment: PlayableEnv | None = None
        self._session: Session | None = None
        self._resumption: Resumption | None = None
        self._is_repeating_tail = False
        self._journal: EpisodeJournal | None = None
        self._is_discarded = self._is_ready = False
        self._unhandled: list[tuple[int, bytes]] = []  # messages that arrived with an assignment that is being resumed
        self._lateness_reported_at_us = 0
        # Read by the game process's main loop after each run; constant in between.
        self.due_us: int | None = None
        """Time at which the session has something to do, or None if it only waits for messages."""
        self.is_ticking = False
        """True while messages of the server can wait for the next step; they carry their time of arrival."""
        self.is_idle = False
        """True if the next episode can be prepared."""
        self.is_finished = False
        """True once the session has ended or was stopped before it began."""

    def run_ready(self) -> None:
        """Handle the messages that have arrived, and do what is due."""
        if self._resumption is not None:
            self._resume(self._resumption)  # the messages wait until the episode can be continued
        else:
            has_messages = self._read_messages()
            if self._resumption is None:
                self._run_due(has_messages=has_messages)
        if (session := self._session) is not None:
            session.send_scene()
            self._sink.flush()
            self.due_us, self.is_ticking = session.due_us, session.is_ticking
            self.is_idle = session.is_idle or self._resumption is not None
        self.is_finished = self._is_discarded or (session is not None and session.is_finished)

    def _read_messages(self) -> bool:
        """Handle the messages that have arrived; return False if there are none."""
        data = self._read()
        if data is None:
            return False
        if not data:
            self._on_server_gone()
        for kind, payload in self._parser.feed(data):
            self._repeat_if_needed()
            if self._resumption is None:
                self._dispatch(kind, payload)
            else:
                self._unhandled.append((kind, payload))
        return True

    def _run_due(self, *, has_messages: bool) -> None:
        session = self._session
        if session is None or session.is_finished:
            return
        due = session.due_us if has_messages else self.due_us
        if due is not None and (now := now_us()) >= due:
            session.tick(now)
            self._report_lateness(session, now)
        elif session.needs_branch:
            self._repeat_if_needed()
        elif session.is_idle:
            session.prepare()

    def close(self) -> None:
        """Leave an unfinished recording to the uploader, close the pipe, and return the environment to the pool.

        The player's seat is free when the pipe is closed, whatever the environment does when it is closed.
        """
        self._sink.flush()
        if self._session is not None:
            try:
                self._session.wait_until_sealed()
            except OSError as error:
                log.error("recording failed, the uploader will finish it: %s", error)
        if self._journal is not None:
            self._journal.close_without_sealing()
        self.pipe.close()
        if self._environment is not None and self._assignment is not None:
            faulthandler.dump_traceback_later(MAX_CLOSE_SECONDS, exit=True)
            try:
                self._pool.release(self._assignment.game.environment, self._environment)
            except EnvironmentFailed as error:
                log.warning("environment failed: %s", error)
            finally:
                faulthandler.cancel_dump_traceback_later()

    def _report_lateness(self, session: Session, now: int) -> None:
        """Send the greatest lateness to the server's metrics, once a second."""
        if now - self._lateness_reported_at_us >= 1_000_000:
            self._sink.late(session.worst_late_us, session.n_timed_steps, session.n_late_steps)
            session.worst_late_us = session.n_timed_steps = session.n_late_steps = 0
            self._lateness_reported_at_us = now

    def _read(self) -> bytes | None:
        # At most steps no message waits, and an exception for that would cost more than this question.
        if not self._readable.poll(0):
            return None
        try:
            return self.pipe.recv(65536)
        except ConnectionError:
            return b""

    def _dispatch(self, kind: int, payload: bytes) -> None:
        """Handle a message of the server, and send what the session answers in one system call."""
        self._handle(kind, payload)
        self._sink.flush()

    def _handle(self, kind: int, payload: bytes) -> None:
        now, session = now_us(), self._session
        if kind == ToGame.ASSIGN:
            self._assign(GameAssignment.model_validate_json(payload))
        elif kind == ToGame.PING:
            self._sink.send(ToServer.PONG)
        elif self._is_discarded or (session is not None and session.is_finished):
            return
        elif session is None:
            self._is_discarded = kind in (ToGame.STOP, ToGame.HAND_OVER)
            if not self._is_discarded:
                raise ValueError(f"message kind {kind} received before an assignment")
        elif kind == ToGame.MESSAGE:
            (received,) = RECEIVED_TIME.unpack_from(payload)
            session.receive(payload[RECEIVED_TIME.size :], received, now)
        elif kind == ToGame.ATTACH:
            self._sink.send(ToServer.ATTACHED)
            session.attach(Hello.model_validate_json(payload), now)
        elif kind == ToGame.DETACH:
            session.detach(now)
        elif kind == ToGame.CAPACITY_ERROR:
            session.disk_full_reason = payload.decode()
        elif kind == ToGame.WATCH_KEYFRAME:
            session.request_watch_keyframe()
        elif kind == ToGame.WATCHERS:
            session.record_watchers(WATCHER_COUNT.unpack(payload)[0], now)
        elif kind in (ToGame.STOP, ToGame.HAND_OVER):
            self._end(session, payload.decode(), now, is_handed_over=kind == ToGame.HAND_OVER)

    def _end(self, session: Session, reason: str, now: int, *, is_handed_over: bool) -> None:
        if is_handed_over:
            session.hand_over(reason, now)
        else:
            session.stop(reason, now)
        if session.handed_over is not None:
            self._sink.send(ToServer.HANDED_OVER, str(session.handed_over).encode())

    def _assign(self, assignment: GameAssignment) -> None:
        try:
            self._session = self._start_session(assignment)
        except (UnsupportedEnvironment, EnvironmentFailed) as error:
            log.error("game cannot start game=%s: %s", assignment.game.id, error)
            self._sink.close(CloseCode.GAME_CRASHED, describe_crash(error))
            self._is_discarded = True

    def _start_session(self, assignment: GameAssignment) -> Session:
        study = assignment.study
        self._assignment, self._environment = assignment, self._pool.acquire(assignment.game.environment)
        session = Session(
            assignment.game,
            self._environment,
            self._sink,
            self._open_journal,
            SessionConfig(
                user_id=assignment.user_id,
                provenance=describe_server(assignment),
                segment_us=round(assignment.segment_seconds * 1e6),
                resume_us=round(assignment.resume_seconds * 1e6),
                lockstep_module=assignment.lockstep_module,
                seed=choose_seed(assignment),
                is_single_episode=assignment.daily is not None or study is not None,
                ghost=assignment.ghost,
                branch=assignment.branch,
                agent=None if assignment.agent is None else find_agent(assignment.agent, assignment.game),
                input_delay_us=0 if study is None else round(study.input_delay_ms * 1000),
                frame_delay_us=0 if study is None else round(study.frame_delay_ms * 1000),
                sound=None if study is None else study.sound,
                consent=assignment.consent,
            ),
            wall_us=lambda: time.time_ns() // 1000,
        )
        if (steps := assignment.resumed or assignment.branch) is not None:
            self._resumption = session.open_resumption(steps)
            return session
        return self._make_ready(session)

    def _repeat_if_needed(self) -> None:
        """Repeat the steps before the frame at which the next episode begins, if it begins at a recorded one."""
        session, assignment = self._session, self._assignment
        if self._resumption is None and session is not None and session.needs_branch:
            assert assignment is not None
            assert assignment.branch is not None
            self._resumption = session.open_resumption(assignment.branch)

    def _make_ready(self, session: Session) -> Session:
        session.prepare()
        if session.is_finished:  # the environment has failed
            return session
        if not self._is_ready:
            gc.collect()
            gc.freeze()
            self._sink.send(ToServer.READY)
            self._is_ready = True
        return session

    def _resume(self, resumption: Resumption) -> None:
        """Repeat some of the recorded steps; after the last one, handle the messages that came meanwhile."""
        session, steps = self._session, resumption.steps
        assert session is not None
        try:
            if not self._is_repeating_tail:
                if (last_result := resumption.advance()) is None:
                    return
                if isinstance(steps, ResumedEpisode):
                    session.resume(steps, resumption, last_result, now_us())
                    self._is_repeating_tail = True
                elif isinstance(steps, Branch):
                    session.branch(steps, last_result)
            if isinstance(steps, ResumedEpisode) and not session.repeat_tail(steps, resumption, now_us()):
                return
        except (ResumeFailed, EnvironmentFailed, OSError) as error:
            if isinstance(steps, Branch):
                self._refuse_branch(steps, error)
                return
            assert isinstance(steps, ResumedEpisode)
            log.warning("cannot continue an episode, ending it episode=%s: %s", steps.id, error)
            if self._journal is not None:
                self._journal.close_without_sealing()
            session.abandon()
            self._sink.send(ToServer.NOT_RESUMED)
            session.notify(NOT_RESUMED_NOTICE)
        else:
            session.end_if_over(now_us())
        self._resumption = None
        self._is_repeating_tail = False
        if isinstance(steps, ResumedEpisode) and steps.is_over:
            session.is_finished = True
            self._sink.send(ToServer.READY)
            return
        self._make_ready(session)
        waiting, self._unhandled = self._unhandled, []
        for kind, payload in waiting:
            self._dispatch(kind, payload)

    def _refuse_branch(self, branch: Branch, error: Exception) -> None:
        log.warning("cannot play from a frame episode=%s step=%d: %s", branch.parent, branch.step, error)
        assert self._session is not None
        self._session.stop("left", now_us())  # the record of the round before may still be open
        self._sink.close(CloseCode.GAME_CRASHED, NOT_BRANCHED_REASON)
        self._resumption, self._is_discarded = None, True

    def _open_journal(self, header: SegmentHeader) -> EpisodeJournal:
        """Open the journal of an episode. Nothing is written for a player who plays without recording (rule R22)."""
        assert self._assignment is not None
        if not self._assignment.consent.is_recorded:
            self._journal = UnrecordedJournal()
            return self._journal
        self._journal = Journal(self._assignment.journal_folder, header)
        return self._journal

    def _on_server_gone(self) -> None:
        log.warning("connection to the server lost, ending the episode pid=%d", os.getpid())
        self._is_discarded = True
        if self._session is not None:
            self._session.detach(now_us())
            self._session.stop("server-gone", now_us())


def choose_seed(assignment: GameAssignment) -> int | None:
    """Return the seed of every episode of a session, or None if each draws its own."""
    if assignment.daily is not None:
        return assignment.daily.seed
    if assignment.study is not None:
        return assignment.study.seed
    if assignment.branch is not None:
        return assignment.branch.seed
    return None if assignment.ghost is None else assignment.ghost.seed


class _PipeSink:
    """The session's message sink: the pipe to the server.

    Messages wait for `flush`, because the first of two would wake the server, and the second would wake it again.
    """

    def __init__(self, pipe: socket.socket) -> None:
        self._pipe = pipe
        self._waiting: list[bytes] = []

    def text(self, message: bytes) -> None:
        self.send(ToServer.TEXT, message)

    def frame(self, packet: bytes) -> None:
        self.send(ToServer.FRAME, packet)

    def close(self, code: CloseCode, reason: str) -> None:
        """Ask the server to close the client's connection."""
        self.send(ToServer.CLOSE, code.to_bytes(2, "little") + reason.encode())

    def watch_frame(self, packet: bytes) -> None:
        self.send(ToServer.WATCH_FRAME, packet)

    def watch_scene(self, scene: bytes | None) -> None:
        self.send(ToServer.WATCH_SCENE, scene or b"")

    def late(self, worst_us: int, n_steps: int, n_late: int) -> None:
        """Report the lateness of the steps, as `ToServer.LATE` says."""
        self.send(ToServer.LATE, LATE_COUNTS.pack(worst_us, n_steps, n_late))

    def send(self, kind: ToServer, payload: bytes = b"") -> None:
        """Send a message with the next `flush`."""
        self._waiting.append(pack(kind, payload))

    def flush(self) -> None:
        """Write what waits, in one system call."""
        if self._waiting:
            data, self._waiting = b"".join(self._waiting), []
            self._write(data)

    def _write(self, data: bytes) -> None:
        try:
            self._pipe.sendall(data)
        except ConnectionError:
            log.debug("send failed, connection to the server lost")
