"""The process that game processes are forked from: it has imported all they need, and has games loaded for them.

What it holds is shared with all of them until they write to it. `play.nursery` starts it and talks to it.
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
    """Answer the server's requests until it is gone; load what is short when there are none."""
    control = socket.socket(fileno=int(sys.argv[1]))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries whoever has ended
    name_process("nursery")
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
        if request["want"] is not None:
            pool.reserve(EnvironmentSpec.model_validate(request["want"]), request["each"])
        _fork(control, sockets[0], pool, request["log"])


def _fork(control: socket.socket, child_socket: int, pool: EnvironmentPool, log_as: list[str]) -> None:
    """Start a game process, and tell its number and which stages it has."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            run_game_process(socket.socket(fileno=child_socket), pool, *log_as)  # type: ignore[arg-type]
            status = 0
        finally:
            os._exit(status)
    os.close(child_socket)
    control.send(json.dumps({"pid": pid, "stock": pool.available}).encode())


if __name__ == "__main__":
    main()
