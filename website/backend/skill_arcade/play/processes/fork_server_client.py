"""The server's end of the process that game processes are forked from.

Imports nothing of ours: that process is started first of all, and gets ready on another core while the server imports.
"""

import atexit
import json
import socket
import subprocess
import sys
import threading
from functools import cache
from typing import Any, NamedTuple

REPLY_TIMEOUT_SECONDS = 30.0
"""It may still be importing, on a machine that does much else."""


class SpawnedProcess(NamedTuple):
    """A new game process, and how many stages of each environment it has, by the environment's JSON."""

    pid: int
    available: dict[str, int]


class ForkServerClient:
    """Starts the process, starts it again when it has died, and asks it. Safe for threads; asking waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(self) -> None:
        """Start it, and do not wait until it is ready."""
        with self._lock:
            self._control_socket()

    def fork(
        self,
        child_socket: socket.socket,
        log_as: tuple[str, str],
        preload: dict[str, Any] | None = None,
        copies: int = 1,
    ) -> SpawnedProcess:
        """Fork a game process that has `theirs` as its control socket. Raises OSError when none can be had.

        `want`: an environment of which it shall have a stage, and those that come later `each` of them.
        """
        request = json.dumps({"log": log_as, "want": preload, "each": copies}).encode()
        with self._lock:
            try:
                return self._request(request, child_socket)
            except OSError:
                self._terminate()  # it has died: another one
                return self._request(request, child_socket)

    def stop(self) -> None:
        """End it. The game processes that it started live on."""
        with self._lock:
            self._terminate()

    def _request(self, request: bytes, theirs: socket.socket) -> SpawnedProcess:
        control = self._control_socket()
        socket.send_fds(control, [request], [theirs.fileno()])
        if not (answer := control.recv(1 << 16)):
            raise ConnectionError("the process that game processes are forked from has died")
        return SpawnedProcess(**json.loads(answer))

    def _control_socket(self) -> socket.socket:
        if self._control is None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours.settimeout(REPLY_TIMEOUT_SECONDS)
            # A group of its own: Ctrl-C on a terminal is for the server, which ends all others in order. No session of
            # its own: Linux would weigh all games together against the server alone (autogroups, sched(7)).
            self._process = subprocess.Popen(
                [sys.executable, "-m", "skill_arcade.play.processes.fork_server", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                process_group=0,
            )
            theirs.close()
            self._control = ours
        return self._control

    def _terminate(self) -> None:
        if self._control is not None:
            self._control.close()  # it ends when this is closed
            self._control = None
        if self._process is not None:
            try:
                self._process.wait(REPLY_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


@cache
def get_fork_server() -> ForkServerClient:
    """The one of this server. The first call starts it."""
    fork_server = ForkServerClient()
    fork_server.start()
    atexit.register(fork_server.stop)
    return fork_server
