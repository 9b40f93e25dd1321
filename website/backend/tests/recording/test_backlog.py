"""Files of a journal that is written and delivered while somebody looks."""

import os
from pathlib import Path

from skill_arcade.recording.backlog import list_files, list_pieces, read_file, read_piece
from skill_arcade.recording.journal import OPEN, seal_file
from tests.journals import write_episode


def test_what_is_sealed_between_a_look_at_the_folder_and_one_at_the_file_is_found(tmp_path: Path) -> None:
    head, _ = write_episode(tmp_path, segments=(4, 3))
    place = tmp_path / str(head.episode_id)
    last = list_files(place)[-1]
    before = last.rename(last.with_suffix(OPEN))
    seen = list_files(place)
    seal_file(os.open(before, os.O_RDWR), before)
    assert read_file(seen[-1]) == (last, last.read_bytes())
    piece = read_piece(seen[-1])
    assert piece is not None
    assert (piece.path, piece.n_steps, piece.whole) == (last, 3, True)


def test_what_was_delivered_since_is_none(tmp_path: Path) -> None:
    head, _ = write_episode(tmp_path)
    (path,) = list_files(tmp_path / str(head.episode_id))
    path.unlink()
    assert (read_file(path), read_piece(path)) == (None, None)
    assert list_pieces(tmp_path) == {}
