"""Who gets a core first: what answers people has it the moment that it wakes, before what works for long."""

import ctypes
import errno
import logging
import os
import platform
import struct
import sys

log = logging.getLogger(__name__)

SLICE_NS = 500_000
"""A step of a game and a turn of the server's loop take less. The scheduler's own slice is some milliseconds."""
SCHED_SETATTR_SYSCALLS = {"x86_64": 314, "aarch64": 274}
"""Number of the system call sched_setattr(2), which Python and older C libraries have no name for."""
RESET_ON_FORK, KEEP_POLICY = 0x01, 0x08
SCHED_ATTR = struct.Struct("=IIQiIQQQ")
"""`struct sched_attr`: size, policy, flags, nice, priority, runtime (here: the slice), deadline, period."""
TOLERATED = {errno.ENOSYS, errno.EPERM, errno.ESRCH, errno.EINVAL}
"""Not on this system, not allowed in this sandbox, or gone meanwhile."""


def request_short_slice(pid: int = 0) -> bool:
    """Ask for short turns on the core for this process' main thread, or (0) for the calling thread.

    Who asks for short turns is not given more of the core, but is given it sooner: a thread that wakes with a shorter
    slice need not wait until one with a longer slice has had its own (EEVDF, Linux 6.12 and newer; before that, and
    on other systems, nothing changes). What it starts later is as any other process. Returns whether it was taken.
    """
    number = SCHED_SETATTR_SYSCALLS.get(platform.machine())
    if sys.platform != "linux" or number is None:
        return False
    try:
        nice = os.getpriority(os.PRIO_PROCESS, pid)
    except ProcessLookupError:
        return False
    asked = SCHED_ATTR.pack(SCHED_ATTR.size, 0, RESET_ON_FORK | KEEP_POLICY, nice, 0, SLICE_NS, 0, 0)
    library = ctypes.CDLL(None, use_errno=True)
    if library.syscall(number, pid, ctypes.create_string_buffer(asked, len(asked)), 0) == 0:
        return True
    code = ctypes.get_errno()
    if code not in TOLERATED:
        raise OSError(code, os.strerror(code))
    log.debug("no short turns for process %d: %s", pid, os.strerror(code))
    return False
