"""Finds and deletes what the journal still holds of an erased account."""

from contextlib import suppress
from pathlib import Path
from uuid import UUID

from skill_arcade.recording.framing import RecordKind, split_records
from skill_arcade.recording.journal_files import list_episodes, list_files, read_file
from skill_arcade.recording.quarantine import QUARANTINED_SUFFIX, REASON_SUFFIX
from skill_arcade.recording.records import SegmentHeader
from skill_arcade.recording.segment import DAMAGED_SUFFIX


def find_episodes(folder: Path, user_id: str) -> list[UUID]:
    """Return the episodes of this player of which the journal has a file with a readable header."""
    return [
        UUID(place.name)
        for place in list_episodes(folder)
        if (header := read_owner(place)) is not None and header.user_id == user_id
    ]


def list_set_aside(folder: Path) -> list[Path]:
    """Return the folders of episodes of which the journal has damaged or quarantined files."""
    return [
        place
        for place in list_episodes(folder)
        if any(path.suffix in (DAMAGED_SUFFIX, QUARANTINED_SUFFIX) for path in list_files(place))
    ]


def purge_set_aside(folder: Path, episode: UUID) -> None:
    """Delete the damaged and quarantined files of an episode, and its folder if it is empty then."""
    place = folder / str(episode)
    for suffix in (DAMAGED_SUFFIX, QUARANTINED_SUFFIX, REASON_SUFFIX):
        for path in place.glob(f"*{suffix}"):
            path.unlink(missing_ok=True)
    with suppress(OSError):  # a segment still waits for its upload, or the folder is already gone
        place.rmdir()


def read_owner(place: Path) -> SegmentHeader | None:
    """Return the header of an episode in the journal, which names its player; None if none can be read."""
    for path in list_files(place):
        if (header := read_header(path)) is not None:
            return header
    return None


def read_header(path: Path) -> SegmentHeader | None:
    """Return the header of a journal file, or None if it cannot be read or the file was uploaded meanwhile."""
    if (found := read_file(path)) is None:
        return None
    for kind, body, _ in split_records(found[1]):
        return SegmentHeader.unpack(body) if kind is RecordKind.HEADER else None
    return None
