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
    return any(_find_user(path) == user_id for path in paths)


def list_pending_users(journal: Path) -> set[str]:
    """Return the players of whom the journal of this server has a segment that is not uploaded."""
    paths = (
        path for episode in list_episodes(journal) for path in list_files(episode) if path.suffix in (OPEN, SEALED)
    )
    return {user_id for path in paths if (user_id := _find_user(path)) is not None}


def _find_user(path: Path) -> str | None:
    if (found := read_file(path)) is None:
        return None
    segment, _ = parse_segment(found[1])
    return None if segment is None else segment.header.user_id
