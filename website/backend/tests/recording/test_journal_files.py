"""Files of a journal that is written and delivered while somebody looks."""

import os
from pathlib import Path

import pytest

from skill_arcade.recording import journal_files as backlog
from skill_arcade.recording.journal import OPEN, seal_file
from skill_arcade.recording.journal_files import list_files, list_journal_files, read_file, read_journal_file
from skill_arcade.recording.segment import DAMAGED_SUFFIX
from tests.support.journals import write_episode


def test_what_is_sealed_between_a_look_at_the_folder_and_one_at_the_file_is_found(tmp_path: Path) -> None:
    head, _ = write_episode(tmp_path, segments=(4, 3))
    place = tmp_path / str(head.episode_id)
    last = list_files(place)[-1]
    before = last.rename(last.with_suffix(OPEN))
    seen = list_files(place)
    seal_file(os.open(before, os.O_RDWR), before)
    assert read_file(seen[-1]) == (last, last.read_bytes())
    piece = read_journal_file(seen[-1])
    assert piece is not None
    assert (piece.path, piece.n_steps, piece.is_complete) == (last, 3, True)


def test_what_was_delivered_since_is_none(tmp_path: Path) -> None:
    head, _ = write_episode(tmp_path)
    (path,) = list_files(tmp_path / str(head.episode_id))
    path.unlink()
    assert (read_file(path), read_journal_file(path)) == (None, None)
    assert list_journal_files(tmp_path) == {}


def test_what_was_set_aside_since_is_found_where_it_is(tmp_path: Path) -> None:
    head, _ = write_episode(tmp_path)
    (path,) = list_files(tmp_path / str(head.episode_id))
    aside = path.rename(path.with_suffix(DAMAGED_SUFFIX))
    piece = read_journal_file(path)
    assert piece is not None
    assert (piece.path, piece.n_steps) == (aside, 4)


def test_a_file_that_was_listed_under_both_its_names_is_counted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, _ = write_episode(tmp_path, segments=(4, 3))
    paths = list_files(tmp_path / str(head.episode_id))
    both = [paths[0], paths[1].with_suffix(OPEN), paths[1]]
    monkeypatch.setattr(backlog, "list_files", lambda place: both)
    assert [piece.n_steps for piece in list_journal_files(tmp_path)[head.episode_id]] == [4, 3]
