"""Files that are written whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from skill_arcade.durable_files import replace_file


def test_replace_file_replaces_content_and_leaves_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    replace_file(path, b"first")
    replace_file(path, b"second", durable=True)
    assert path.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]


def test_replace_file_that_fails_keeps_earlier_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    path = tmp_path / "status.json"
    replace_file(path, b"first")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="full"):
        replace_file(path, b"second", durable=True)
    assert path.read_bytes() == b"first"
