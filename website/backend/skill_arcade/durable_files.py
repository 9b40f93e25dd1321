"""Files that are written whole or not at all, and names that survive a power cut."""

import os
from pathlib import Path


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable (fsync of the folder)."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_file(path: Path, data: bytes, *, suffix: str = ".new", durable: bool = False) -> None:
    """Write a file under another name and rename it, so that a reader sees the old content or the new one.

    * `suffix`: replaces that of `path` while the file is written.
    * `durable`: return only when the content is on the disk. The name is durable after `fsync_folder`.

    Raises:
        OSError: it cannot be written; an earlier file is as it was.
    """
    fresh = path.with_suffix(suffix)
    with fresh.open("wb") as file:
        file.write(data)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    fresh.replace(path)
