"""Client of the fork server, the process from which game processes are forked.

This module imports nothing else of the package, so that the fork server can be started first and can load on another
core while the server is still importing.
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
"""Timeout of a fork request. It is long because the fork server may still be importing on a busy machine."""


class SpawnedProcess(NamedTuple):
    """A new game process, and how many instances of each environment it has, by the JSON of the environment spec."""

    pid: int
    available: dict[str, int]


class ForkServerClient:
    """Starts the fork server, restarts it if it dies, and sends it requests.

    Methods may be called from any thread and block until the fork server has answered.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(self) -> None:
        """Start the fork server without waiting until it is ready."""
        with self._lock:
            self._control_socket()

    def fork(
        self,
        child_socket: socket.socket,
        log_options: tuple[str, str],
        preload: dict[str, Any] | None = None,
        copies: int = 1,
        memory_mb: int | None = None,
    ) -> SpawnedProcess:
        """Fork a game process that has `child_socket` as its control socket.

        * `log_options`: format and level of the process's log.
        * `preload`: environment spec of which the process needs an instance, or None if it shall load its environment
          itself.
        * `copies`: how many instances the fork server keeps ready for later children.
        * `memory_mb`: limit of the process's private memory, or None for no limit.

        Raises:
            OSError: no process could be started, also after a restart of the fork server.
        """
        fields = {"log_options": log_options, "preload": preload, "copies": copies, "memory_mb": memory_mb}
        request = json.dumps(fields).encode()
        with self._lock:
            try:
                return self._request(request, child_socket)
            except OSError:
                self._terminate()  # the fork server has died: restart it and retry once
                return self._request(request, child_socket)

    def find_exit_status(self, pid: int) -> str | None:
        """Return how a game process has ended, such as "killed by SIGSEGV"; None if it runs or is unknown."""
        request = json.dumps({"exit_status_of": pid}).encode()
        with self._lock:
            if self._control is None:
                return None
            try:
                self._control.send(request)
                reply = self._control.recv(1 << 16)
            except OSError:
                return None
        status: str | None = json.loads(reply)["exit_status"] if reply else None
        return status

    def stop(self) -> None:
        """Stop the fork server. The game processes that it forked keep running."""
        with self._lock:
            self._terminate()

    def forget(self) -> None:
        """Let go of the fork server without ending it. For a copy of this process, which does not own it."""
        if self._control is not None:
            self._control.close()
        self._control = self._process = None

    def _request(self, request: bytes, child_socket: socket.socket) -> SpawnedProcess:
        control = self._control_socket()
        socket.send_fds(control, [request], [child_socket.fileno()])
        if not (reply := control.recv(1 << 16)):
            raise ConnectionError("the fork server exited before it answered")
        return SpawnedProcess(**json.loads(reply))

    def _control_socket(self) -> socket.socket:
        if self._control is None:
            parent_socket, child_socket = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            parent_socket.settimeout(REPLY_TIMEOUT_SECONDS)
            # A process group of its own, because Ctrl-C on a terminal must reach only the server, which then ends all
            # others in order. Not a session of its own: with autogroups (sched(7)) Linux would weigh all games together
            # against the server alone.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "skill_arcade.play.processes.fork_server", str(child_socket.fileno())],
                pass_fds=(child_socket.fileno(),),
                stdin=subprocess.DEVNULL,
                process_group=0,
            )
            child_socket.close()
            self._control = parent_socket
        return self._control

    def _terminate(self) -> None:
        if self._control is not None:
            self._control.close()  # the fork server exits when this is closed
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
    """Return the fork server of this process; the first call starts it."""
    fork_server = ForkServerClient()
    fork_server.start()
    atexit.register(fork_server.stop)
    return fork_server
