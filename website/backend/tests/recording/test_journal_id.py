"""The id of a journal is the same after a restart on the same disk, and for two servers that start on it at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skill_arcade.recording.journal_id import find_journal_id


def test_journal_id_is_kept_with_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "home" / "journal-id"
    with ThreadPoolExecutor(8) as threads:
        ids = set(threads.map(find_journal_id, [path] * 8))
    assert len(ids) == 1
    assert find_journal_id(path) in ids
    assert [entry.name for entry in path.parent.iterdir()] == ["journal-id"]
    assert find_journal_id(tmp_path / "other" / "journal-id") not in ids


@pytest.mark.parametrize("content", ["", "half-an-id"])
def test_journal_id_that_cannot_be_read_is_random(tmp_path: Path, content: str) -> None:
    path = tmp_path / "journal-id"
    path.write_text(content)
    assert find_journal_id(path) != find_journal_id(path)
