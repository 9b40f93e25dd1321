"""Finds out whether recordings of a player are still only in the journal."""

from pathlib import Path

from skill_arcade.recording.journal import OPEN, SEALED
from skill_arcade.recording.journal_files import list_episodes, list_files, read_file
from skill_arcade.recording.segment import parse_segment


def has_pending_recordings(journal: Path, user_id: str) -> bool:
    """Return whether the journal of this server has a segment of this player that is not uploaded.

    Segments that were set aside as damaged or rejected do not count, because nothing uploads them.
    """
    paths = (
        path for episode in list_episodes(journal) for path in list_files(episode) if path.suffix in (OPEN, SEALED)
    )
    return any(_is_of(path, user_id) for path in paths)


def _is_of(path: Path, user_id: str) -> bool:
    if (found := read_file(path)) is None:
        return False
    segment, _ = parse_segment(found[1])
    return segment is not None and segment.header.user_id == user_id
