"""A limit on the journal's size, and the check at start that the journal can be written at all (rule R17)."""

import errno
import os
import tempfile
from pathlib import Path

OVER_QUOTA_NAME = "over-quota"
"""Empty file in the journal that exists while its files take more than the quota. No segment is begun then."""


def check_writable(folder: Path) -> None:
    """Write, sync, rename and delete a file in the journal `folder`, which is created if needed.

    Raises:
        OSError: one of these steps failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix="probe-", dir=folder)
    path = Path(name)
    try:
        os.write(handle, b"probe")
        os.fsync(handle)
        path = path.rename(path.with_suffix(".renamed"))
    finally:
        os.close(handle)
        path.unlink(missing_ok=True)


def measure_bytes(folder: Path) -> int:
    """Return the size of all files in the journal `folder`. Files that are deleted meanwhile count as zero."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(parent, name)).st_size  # noqa: PTH116, PTH118 (runs every 2 s)
            except FileNotFoundError:
                continue
    return total


def mark_over_quota(folder: Path, *, is_over: bool) -> None:
    """Tell all game processes whether the journal takes more than its quota."""
    path = folder / OVER_QUOTA_NAME
    if is_over:
        path.touch()
    else:
        path.unlink(missing_ok=True)


def require_quota(folder: Path) -> None:
    """Raise OSError, like a full disk, if the journal takes more than its quota."""
    if (folder / OVER_QUOTA_NAME).exists():
        raise OSError(errno.EDQUOT, "the journal takes more than JOURNAL_MAX_MB")
