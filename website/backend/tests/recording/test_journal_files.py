"""Tests of reading a journal while it is written and uploaded."""

import os
from pathlib import Path

import pytest

from skill_arcade.recording import journal_files
from skill_arcade.recording.journal import OPEN, seal_file
from skill_arcade.recording.journal_files import list_files, list_journal_files, read_file, read_journal_file
from skill_arcade.recording.segment import DAMAGED_SUFFIX
from tests.support.journals import write_episode


def test_file_sealed_after_listing_is_read(tmp_path: Path) -> None:
    header, _ = write_episode(tmp_path, segments=(4, 3))
    folder = tmp_path / str(header.episode_id)
    last = list_files(folder)[-1]
    open_path = last.rename(last.with_suffix(OPEN))
    listed = list_files(folder)
    seal_file(os.open(open_path, os.O_RDWR), open_path)
    assert read_file(listed[-1]) == (last, last.read_bytes())
    journal_file = read_journal_file(listed[-1])
    assert journal_file is not None
    assert (journal_file.path, journal_file.n_steps, journal_file.is_complete) == (last, 3, True)


def test_file_uploaded_after_listing_is_none(tmp_path: Path) -> None:
    header, _ = write_episode(tmp_path)
    (path,) = list_files(tmp_path / str(header.episode_id))
    path.unlink()
    assert (read_file(path), read_journal_file(path)) == (None, None)
    assert list_journal_files(tmp_path) == {}


def test_file_renamed_as_damaged_after_listing_is_read(tmp_path: Path) -> None:
    header, _ = write_episode(tmp_path)
    (path,) = list_files(tmp_path / str(header.episode_id))
    damaged_path = path.rename(path.with_suffix(DAMAGED_SUFFIX))
    journal_file = read_journal_file(path)
    assert journal_file is not None
    assert (journal_file.path, journal_file.n_steps) == (damaged_path, 4)


def test_file_listed_under_both_names_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header, _ = write_episode(tmp_path, segments=(4, 3))
    paths = list_files(tmp_path / str(header.episode_id))
    both = [paths[0], paths[1].with_suffix(OPEN), paths[1]]
    monkeypatch.setattr(journal_files, "list_files", lambda folder: both)
    assert [journal_file.n_steps for journal_file in list_journal_files(tmp_path)[header.episode_id]] == [4, 3]
