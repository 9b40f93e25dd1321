"""The life of a game process: it hosts a few games, and waits for whatever comes next in any of them."""

import logging
import os
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
    control: socket.socket, pool: EnvironmentPool, log_format: Format = "text", log_level: str = "INFO"
) -> None:
    """Main of a game process: host the games whose pipes come by `control`, until it is closed and all are over."""
    set_up_logging(log_format, log_level)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    name_process("game")
    GameProcess(control, pool).run()


class GameProcess:
    """Games that share a process, and so what is in its caches; decision 0011 says what that is worth and costs."""

    def __init__(self, control: socket.socket, pool: EnvironmentPool) -> None:
        self._control: socket.socket | None = control
        self._pool = pool
        self._runners: list[SessionRunner] = []

    def run(self) -> None:
        """Until no game can come any more, and none is left."""
        while self._control is not None or self._runners:
            heard = self._wait()
            if self._control is not None and self._control in heard:
                self._accept_game(self._control)
            now = now_us()
            for runner in list(self._runners):
                if runner.is_idle or runner.pipe in heard or (runner.due_us is not None and runner.due_us <= now):
                    self._run_session(runner)

    def _wait(self) -> set[socket.socket]:
        """Who has said something, or nobody when something is due.

        A game that steps by the clock is not listened to between its steps: one awakening a step, not two.
        """
        awaited = [runner.pipe for runner in self._runners if not runner.is_ticking]
        dues = [runner.due_us for runner in self._runners if runner.due_us is not None]
        if any(runner.is_idle for runner in self._runners):
            seconds: float | None = 0.0
        else:
            seconds = max(0.0, (min(dues) - now_us()) / 1e6) if dues else None
        if self._control is not None:
            awaited.append(self._control)
        if not awaited:
            time.sleep(seconds or 0.0)
            return set()
        # `poll` would round up to milliseconds.
        return set(select.select(awaited, [], [], seconds)[0])

    def _accept_game(self, control: socket.socket) -> None:
        """Take the pipe of one more game, or learn that there will be no more."""
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
        except Exception:
            # The others' games go on. In one line with its trace, and not as the text that Python itself would write.
            log.exception("a game in process %d failed", os.getpid())
        else:
            if not runner.is_finished:
                return
        self._runners.remove(runner)
        runner.close()
