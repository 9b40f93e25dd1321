"""Build stamps: files that hold the digest of a build step's inputs, so that it runs only after a change."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digest_files(files: Iterable[Path], *strings: str) -> str:
    """Return a digest of the names and contents of `files`, in order of their names, and of `strings`."""
    digest = hashlib.sha256()
    for file in sorted(files):
        content = file.read_bytes()
        digest.update(f"{file}\0{len(content)}\0".encode())
        digest.update(content)
    for text in strings:
        digest.update(f"{text}\0".encode())
    return digest.hexdigest()


def is_fresh(stamp: Path, digest: str) -> bool:
    """Return whether `stamp` was written for `digest`."""
    return stamp.is_file() and stamp.read_text().strip() == digest


def write_stamp(stamp: Path, digest: str) -> None:
    """Record that the result that `stamp` belongs to was built from `digest`."""
    stamp.write_text(digest + "\n")
