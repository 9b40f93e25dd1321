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
from typing import Any

import ale_py  # noqa: F401
import gymnasium  # noqa: F401
import numpy  # noqa: F401

from skill_arcade.child_processes import become_subreaper
from skill_arcade.games.manifest import EnvironmentSpec
from skill_arcade.play.processes.child_reaper import ChildReaper
from skill_arcade.play.processes.environment_pool import EnvironmentPool
from skill_arcade.play.processes.game_process import run_game_process
from skill_arcade.telemetry import name_process

MAX_REQUEST_BYTES = 1 << 16


def main() -> None:
    """Serve requests until the server closes the socket; preload environments while idle."""
    control = socket.socket(fileno=int(sys.argv[1]))
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, signal.SIG_IGN)
    wakeup = _wake_up_on_child_exit()
    name_process("fork-server")
    become_subreaper()
    pool, reaper = EnvironmentPool(), ChildReaper()
    gc.collect()
    gc.freeze()
    while True:
        ready, _, _ = select.select([control, wakeup], [], [], 0 if pool.has_pending else None)
        if wakeup in ready:
            wakeup.recv(4096)
            reaper.reap()
        if not ready:
            pool.warm_one()
            gc.collect()
            gc.freeze()
        if control not in ready:
            continue
        data, sockets, _, _ = socket.recv_fds(control, MAX_REQUEST_BYTES, 1)
        if not data:
            return
        request = json.loads(data)
        if "exit_status_of" in request:
            reaper.reap()
            control.send(json.dumps({"exit_status": reaper.find_status(request["exit_status_of"])}).encode())
            continue
        if request["preload"] is not None:
            pool.reserve(EnvironmentSpec.model_validate(request["preload"]), request["copies"])
        _fork(control, sockets[0], pool, reaper, request)


def _wake_up_on_child_exit() -> socket.socket:
    """Return a socket that becomes readable when a child has exited."""
    wakeup, written = socket.socketpair()
    wakeup.setblocking(False)
    written.setblocking(False)
    signal.set_wakeup_fd(written.detach(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler nothing is written
    return wakeup


def _fork(
    control: socket.socket, child_socket: int, pool: EnvironmentPool, reaper: ChildReaper, request: dict[str, Any]
) -> None:
    """Fork a game process, then reply with its process id and the environments that it inherited."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            control.close()
            os.close(signal.set_wakeup_fd(-1))
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            pipe = socket.socket(fileno=child_socket)
            run_game_process(pipe, pool, *request["log_options"], memory_mb=request["memory_mb"])
            status = 0
        finally:
            os._exit(status)
    reaper.add(pid)
    os.close(child_socket)
    control.send(json.dumps({"pid": pid, "available": pool.available}).encode())


if __name__ == "__main__":
    main()
