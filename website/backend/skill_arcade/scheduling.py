"""Requests a short scheduler time slice for latency-critical processes (EEVDF scheduler, Linux 6.12 and newer).

The server and the game processes are then scheduled ahead of background work when they wake up.
"""

import ctypes
import errno
import logging
import os
import platform
import struct
import sys

log = logging.getLogger(__name__)

SLICE_NS = 500_000
"""More than a game step or an iteration of the server's event loop takes. The scheduler's default slice is some
milliseconds.
"""
SCHED_SETATTR_SYSCALLS = {"x86_64": 314, "aarch64": 274}
"""Number of the system call sched_setattr(2), for which Python and older C libraries have no wrapper."""
RESET_ON_FORK, KEEP_POLICY = 0x01, 0x08
SCHED_ATTR = struct.Struct("=IIQiIQQQ")
"""`struct sched_attr`: size, policy, flags, nice, priority, runtime (here the time slice), deadline, period."""
TOLERATED_ERRORS = {errno.ENOSYS, errno.EPERM, errno.ESRCH, errno.EINVAL}
"""Errors that are not raised: no such system call, not permitted in this sandbox, or the process has exited."""


def request_short_slice(pid: int = 0) -> bool:
    """Request a short time slice for the main thread of process `pid`, or for the calling thread if 0.

    A short slice gives no larger share of CPU time, but an earlier one: a thread that wakes up with a shorter slice can
    preempt one with a longer slice. Child processes do not inherit it. Older kernels and other systems ignore the
    request.

    Returns whether the request was accepted.

    Raises:
        OSError: the system call failed for an unexpected reason.
    """
    syscall_number = SCHED_SETATTR_SYSCALLS.get(platform.machine())
    if sys.platform != "linux" or syscall_number is None:
        return False
    try:
        nice = os.getpriority(os.PRIO_PROCESS, pid)
    except ProcessLookupError:
        return False
    attributes = SCHED_ATTR.pack(SCHED_ATTR.size, 0, RESET_ON_FORK | KEEP_POLICY, nice, 0, SLICE_NS, 0, 0)
    library = ctypes.CDLL(None, use_errno=True)
    if library.syscall(syscall_number, pid, ctypes.create_string_buffer(attributes, len(attributes)), 0) == 0:
        return True
    code = ctypes.get_errno()
    if code not in TOLERATED_ERRORS:
        raise OSError(code, os.strerror(code))
    log.debug("cannot set a short time slice pid=%d: %s", pid, os.strerror(code))
    return False
