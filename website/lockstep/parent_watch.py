"""Lets a background process exit, with all processes that it started, when another process exits."""

import os
import select
import signal
import threading

from devtools.run import UserFacingError


def exit_with_parent(pid: int) -> None:
    """Terminate this process and its process group as soon as process `pid` exits.

    Raises `UserFacingError` if there is no such process.
    """
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError as error:
        raise UserFacingError(f"Process {pid}, for which this was started, has exited already.") from error
    if os.getpgrp() != os.getpid():
        os.setsid()
    threading.Thread(target=_terminate_group_after, args=(descriptor,), name="parent-watch", daemon=True).start()


def _terminate_group_after(descriptor: int) -> None:
    """Wait for a process, whose pidfd becomes readable when it exits, and terminate this process group."""
    select.select([descriptor], [], [])
    os.killpg(os.getpgrp(), signal.SIGTERM)
