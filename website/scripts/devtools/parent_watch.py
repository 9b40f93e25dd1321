"""A program that works beside another, and ends with all that it started when the other does."""

import os
import select
import signal
import threading

from devtools.errors import UserFacingError


def exit_with_parent(pid: int) -> None:
    """From now on, end this process and every one that it starts when process `pid` ends.

    Raises `UserFacingError` when there is no such process any more.
    """
    try:
        other = os.pidfd_open(pid)
    except ProcessLookupError as error:
        raise UserFacingError(f"Process {pid}, which this was to work beside, has ended.") from error
    if os.getpgrp() != os.getpid():
        os.setsid()
    threading.Thread(target=_wait, args=(other,), name="beside", daemon=True).start()


def _wait(other: int) -> None:
    """A process's descriptor can be read once it has ended."""
    select.select([other], [], [])
    os.killpg(os.getpgrp(), signal.SIGTERM)
