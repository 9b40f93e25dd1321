"""The game loop of a game process: it runs up to `GAMES_PER_PROCESS` game sessions in one thread.

The loop sleeps until a message arrives on a session's pipe or a step is due.
"""

import faulthandler
import logging
import os
import resource
import select
import signal
import socket
import time

from skill_arcade.play.processes.environment_pool import EnvironmentPool
from skill_arcade.play.session.clock import now_us
from skill_arcade.play.session.session_runner import SessionRunner
from skill_arcade.telemetry import Format, name_process, set_up_logging

log = logging.getLogger(__name__)


def run_game_process(
    control: socket.socket,
    pool: EnvironmentPool,
    log_format: Format = "text",
    log_level: str = "INFO",
    *,
    memory_mb: int | None = None,
) -> None:
    """Run the games whose pipes arrive on `control`, until it is closed and all games have ended.

    `memory_mb` limits the private memory of this process. An environment that exceeds it gets a MemoryError.
    """
    set_up_logging(log_format, log_level)
    if memory_mb is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (memory_mb << 20, resource.RLIM_INFINITY))
    _ignore_stop_signals()
    faulthandler.enable()  # a crash in C code, or the server's SIGABRT, then writes a traceback to the log
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    name_process("game")
    GameProcess(control, pool).run()


def _ignore_stop_signals() -> None:
    """Ignore SIGINT and SIGTERM here, but not in the processes that an environment starts.

    An ignored signal would stay ignored in them, so that `terminate()` had no effect; a handler does not.
    """
    stop_signals = (signal.SIGINT, signal.SIGTERM)

    def restore() -> None:
        for signal_number in stop_signals:
            signal.signal(signal_number, signal.SIG_DFL)

    for signal_number in stop_signals:
        signal.signal(signal_number, lambda *_: None)
    os.register_at_fork(after_in_child=restore)


class GameProcess:
    """Runs several games in one process, so that they share CPU caches; decision 0011 has the measurements."""

    def __init__(self, control: socket.socket, pool: EnvironmentPool) -> None:
        self._control: socket.socket | None = control
        self._pool = pool
        self._runners: list[SessionRunner] = []

    def run(self) -> None:
        """Run until no game can arrive any more and none is left."""
        while self._control is not None or self._runners:
            readable = self._wait()
            if self._control is not None and self._control in readable:
                self._accept_game(self._control)
            now = now_us()
            for runner in list(self._runners):
                if runner.is_idle or runner.pipe in readable or (runner.due_us is not None and runner.due_us <= now):
                    self._run_session(runner)

    def _wait(self) -> set[socket.socket]:
        """Sleep until something is to be done; return the sockets that have data.

        A session in real time is not listened to between its steps: its process then wakes once a step, not twice.
        """
        sources: list[socket.socket] = []
        due_us: int | None = None
        is_idle = False
        for runner in self._runners:
            if not runner.is_ticking:
                sources.append(runner.pipe)
            if runner.due_us is not None and (due_us is None or runner.due_us < due_us):
                due_us = runner.due_us
            is_idle = is_idle or runner.is_idle
        if is_idle:
            timeout_s: float | None = 0.0
        else:
            timeout_s = None if due_us is None else max(0.0, (due_us - now_us()) / 1e6)
        if self._control is not None:
            sources.append(self._control)
        if not sources:
            time.sleep(timeout_s or 0.0)
            return set()
        # `poll` would round the timeout up to milliseconds.
        return set(select.select(sources, [], [], timeout_s)[0])

    def _accept_game(self, control: socket.socket) -> None:
        """Accept the pipe of one more game, or note that the server has closed the control socket."""
        try:
            data, pipes, _, _ = socket.recv_fds(control, 1, 1)
        except ConnectionError:
            data, pipes = b"", []
        if not data:
            control.close()
            self._control = None
        self._runners.extend(SessionRunner(socket.socket(fileno=pipe), self._pool) for pipe in pipes)

    def _run_session(self, runner: SessionRunner) -> None:
        try:
            runner.run_ready()
        except BaseException:  # also a SystemExit of an environment's callback
            # The other games of this process must go on. Logged as one record with its traceback, not as the lines that
            # Python itself would write.
            log.exception("game session failed pid=%d", os.getpid())
        else:
            if not runner.is_finished:
                return
        self._runners.remove(runner)
        runner.close()
