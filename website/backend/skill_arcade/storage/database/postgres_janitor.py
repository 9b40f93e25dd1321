"""Starts the embedded Postgres, and stops it when its last user is gone, also if that user was killed.

It runs as a script of its own, detached, with nothing but the standard library, as the parent of Postgres. Each user
holds a shared lock on the file `users`, which the kernel releases when the process dies (see `embedded.py`).
"""

import fcntl
import os
import signal
import sys
import time
from pathlib import Path

FAST_SECONDS = 30.0
"""Time for a fast shutdown. After it Postgres is told to stop at once, and recovers at its next start."""
KILL_SECONDS = 40.0


def run(folder: Path, uid: int, gid: int, command: list[str]) -> None:
    """Start Postgres as this user, print its pid, and stay as its parent in a detached process."""
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    if os.fork():
        os._exit(0)
    os.setsid()  # Ctrl-C is for the server, which then stops Postgres
    nothing = os.open(os.devnull, os.O_RDWR)
    if (pid := os.fork()) == 0:
        os.dup2(nothing, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        if uid != os.geteuid():
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)
        os.execv(command[0], command)
    signal.signal(signal.SIGCHLD, _exit_with_postgres)
    os.write(1, b"%d" % pid)
    for file in (0, 1, 2):
        os.dup2(nothing, file)
    wait_and_stop(folder, pid)


def _exit_with_postgres(*_: object) -> None:
    os.waitpid(-1, os.WNOHANG)
    os._exit(0)


def wait_and_stop(folder: Path, pid: int) -> None:
    """Wait until nobody uses the folder, then stop the Postgres with this pid, a child of this process."""
    while exists(pid):
        try:
            users = _lock(folder / "users", fcntl.LOCK_EX)
            os.close(users)  # taken again below, after `lock`, which is the order of all others
            lock = _lock(folder / "lock", fcntl.LOCK_EX)
            try:
                users = _lock(folder / "users", fcntl.LOCK_EX | fcntl.LOCK_NB)
                stop(folder, pid)
                os.close(users)
            except BlockingIOError:
                pass  # somebody has come meanwhile
            finally:
                os.close(lock)
        except FileNotFoundError:  # the folder is being removed, and nothing may be created in it
            os.kill(pid, signal.SIGQUIT)
            time.sleep(0.05)


def _lock(path: Path, operation: int) -> int:
    """Wait for a lock on an existing file, which is held until the returned file descriptor is closed.

    Raises:
        FileNotFoundError: the file was removed.
        BlockingIOError: another process holds the lock, and `operation` says not to wait.
    """
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(file, operation)
    except BlockingIOError:
        os.close(file)
        raise
    return file


def is_running(folder: Path, pid: int) -> bool:
    """Return whether the Postgres of this folder still has this pid."""
    try:
        with (folder / "data" / "postmaster.pid").open("rb") as file:
            return file.read(32).split(b"\n")[0] == b"%d" % pid and exists(pid)
    except OSError:
        return False


def exists(pid: int) -> bool:
    """Return whether a process has this pid and is no zombie, which has exited but whose parent has not noticed."""
    try:
        with Path(f"/proc/{pid}/stat").open("rb") as file:
            return file.read().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


def stop(folder: Path, pid: int) -> None:
    """Stop Postgres: fast, then at once, then by force."""
    began_at = time.monotonic()
    steps = [(0.0, signal.SIGINT), (FAST_SECONDS, signal.SIGQUIT), (KILL_SECONDS, signal.SIGKILL)]
    while is_running(folder, pid):
        if steps and time.monotonic() - began_at >= steps[0][0]:
            os.kill(pid, steps.pop(0)[1])
        time.sleep(0.05)


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
