"""The fork server: a process with all imports and some environments loaded, from which game processes are forked.

Game processes share its memory by copy-on-write. `fork_server_client` starts it and sends the requests;
`multiprocessing.forkserver` of the standard library works the same way.
"""

import gc
import json
import os
import select
import signal
import socket
import sys

import ale_py  # noqa: F401
import gymnasium  # noqa: F401
import numpy  # noqa: F401

from skill_arcade.games.manifest import EnvironmentSpec
from skill_arcade.play.processes.environment_pool import EnvironmentPool
from skill_arcade.play.processes.game_process import run_game_process
from skill_arcade.telemetry import name_process

MAX_REQUEST_BYTES = 1 << 16


def main() -> None:
    """Serve fork requests until the server closes the socket; preload environments while idle."""
    control = socket.socket(fileno=int(sys.argv[1]))
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel then reaps children that have exited
    name_process("fork-server")
    pool = EnvironmentPool()
    gc.collect()
    gc.freeze()
    while True:
        ready, _, _ = select.select([control], [], [], 0 if pool.has_pending else None)
        if not ready:
            pool.warm_one()
            gc.collect()
            gc.freeze()
            continue
        data, sockets, _, _ = socket.recv_fds(control, MAX_REQUEST_BYTES, 1)
        if not data:
            return
        request = json.loads(data)
        if request["preload"] is not None:
            pool.reserve(EnvironmentSpec.model_validate(request["preload"]), request["copies"])
        _fork(control, sockets[0], pool, request["log_options"])


def _fork(control: socket.socket, child_socket: int, pool: EnvironmentPool, log_options: list[str]) -> None:
    """Fork a game process, then reply with its process id and the environments that it inherited."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            run_game_process(socket.socket(fileno=child_socket), pool, *log_options)  # type: ignore[arg-type]
            status = 0
        finally:
            os._exit(status)
    os.close(child_socket)
    control.send(json.dumps({"pid": pid, "available": pool.available}).encode())


if __name__ == "__main__":
    main()
