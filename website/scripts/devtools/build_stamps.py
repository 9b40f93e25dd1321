"""A stamp is a file that says from which inputs something was made: made again only when they change."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digest_files(files: Iterable[Path], *more: str) -> str:
    """A digest of the names and contents of `files`, in name order, and of the strings in `more`."""
    digest = hashlib.sha256()
    for file in sorted(files):
        content = file.read_bytes()
        digest.update(f"{file}\0{len(content)}\0".encode())
        digest.update(content)
    for text in more:
        digest.update(f"{text}\0".encode())
    return digest.hexdigest()


def is_fresh(stamp: Path, digest: str) -> bool:
    """Whether `stamp` was written for `digest`."""
    return stamp.is_file() and stamp.read_text().strip() == digest


def write_stamp(stamp: Path, digest: str) -> None:
    """Note that what `stamp` stands for was made from `digest`."""
    stamp.write_text(digest + "\n")
