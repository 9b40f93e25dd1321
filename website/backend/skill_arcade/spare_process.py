"""Processes that wait for what they are to run: the uploader and the certifier before they start.

The server forks its first ones when all modules are imported and nothing runs yet. They share that memory by
copy-on-write, and start in milliseconds. Later it cannot fork, because in the child the locks that other threads held
would stay locked, so a process that replaces another one is a new interpreter.
"""

import atexit
import gc
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from skill_arcade.telemetry import name_process

MAX_REQUEST_BYTES = 1 << 17
ORPHAN_GRACE_SECONDS = 20.0
"""Grace period for a process whose server has died. After that it is killed; the next server starts a new one."""

_forked: list["SpareProcess"] = []
"""Processes that were forked and have nothing to run yet."""


class SpareProcess:
    """A child process that waits for a function to call.

    It is asked to end when this process ends in any way, or drops this object.
    """

    def __init__(self, pid: int, control: socket.socket, interpreter: "subprocess.Popen[bytes] | None" = None) -> None:
        """`control` is this process's end of the socket pair on which the child waits."""
        self.pid = pid
        self._control, self._interpreter = control, interpreter
        self._has_ended, self._lock = False, threading.Lock()

    def run(self, name: str, target: Callable[..., None], *arguments: object) -> None:
        """Let the process call `target(*arguments)`, an importable function, and end. `name` is that of the process.

        Raises:
            OSError: the process has ended already.
        """
        self._control.send(pickle.dumps((name, target, arguments)))

    def wait(self) -> int:
        """Wait until the process has ended. Return its exit code, negative for a signal. It can be called once."""
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            self._has_ended = True
            code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if self._interpreter is not None:
            self._interpreter.returncode = code
        self.let_go()
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        with self._lock:  # until it is waited for, nothing else can have its process id
            if not self._has_ended:
                os.kill(self.pid, number)

    def let_go(self) -> None:
        """Close this process's end of the socket pair. The child sees that as the end of this process."""
        self._control.close()


def fork_spare_processes(n: int, forget: Callable[[], None]) -> None:
    """Fork processes, which `take_spare_process` returns later. This one must have no Python threads and no event loop.

    `forget` lets go of what only this process may hold; it is called in the children.
    """
    gc.collect()
    gc.freeze()  # a garbage collection writes to every object, so that it would copy all memory
    for _ in range(n):
        control, child_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if (pid := os.fork()) == 0:
            for other in _forked:
                other.let_go()
            _forked.clear()
            control.close()
            forget()
            _wait_for_request(child_control)
        child_control.close()
        _forked.append(SpareProcess(pid, control))


def take_spare_process() -> SpareProcess:
    """Return a process that waits: one that was forked before, or a new interpreter.

    Raises:
        OSError: no process can be started.
    """
    with suppress(IndexError):
        return _forked.pop()
    control, child_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with child_control:
        interpreter = subprocess.Popen(
            [sys.executable, "-m", "skill_arcade.spare_process", str(child_control.fileno())],
            pass_fds=(child_control.fileno(),),
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},  # it imports the target
        )
    return SpareProcess(interpreter.pid, control, interpreter)


def _wait_for_request(control: socket.socket) -> NoReturn:
    """Wait for a function, call it, and exit."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the server, which ends all others in order
    name_process("spare")
    status = 1
    try:
        if not (request := control.recv(MAX_REQUEST_BYTES)):
            os._exit(0)
        name, target, arguments = pickle.loads(request)
        name_process(name)
        threading.Thread(target=_end_with_parent, args=(control,), name="end-with-parent", daemon=True).start()
        target(*arguments)
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001  (nothing is above that could report it)
        traceback.print_exc()
    finally:
        with suppress(BaseException):
            atexit._run_exitfuncs()  # `os._exit` does not, and the stack above may be the server's
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _end_with_parent(control: socket.socket) -> None:
    """Ask this process to finish when its parent has ended in any way, which closes the other end."""
    control.recv(1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ORPHAN_GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    _wait_for_request(socket.socket(fileno=int(sys.argv[1])))
