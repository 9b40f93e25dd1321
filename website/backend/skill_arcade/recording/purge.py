"""What the journal still has of a player who wants nothing of theirs kept."""

from contextlib import suppress
from pathlib import Path
from uuid import UUID

from skill_arcade.recording.framing import RecordKind, split_records
from skill_arcade.recording.journal_files import list_episodes, list_files, read_file
from skill_arcade.recording.records import SegmentHeader
from skill_arcade.recording.segment import DAMAGED_SUFFIX


def find_episodes(folder: Path, user_id: str) -> list[UUID]:
    """Episodes of this player of which the journal in `folder` has a file whose head reads back."""
    return [UUID(place.name) for place in list_episodes(folder) if _read_owner(place) == user_id]


def purge_damaged(folder: Path, episode: UUID) -> None:
    """Remove what of an episode was set aside, since nobody else will; and its folder, if that is empty then."""
    place = folder / str(episode)
    for path in place.glob(f"*{DAMAGED_SUFFIX}"):
        path.unlink(missing_ok=True)
    with suppress(OSError):  # a segment in it is still to be delivered, or the folder is gone
        place.rmdir()


def _read_owner(place: Path) -> str | None:
    for path in list_files(place):
        if (head := read_header(path)) is not None:
            return head.user_id
    return None


def read_header(path: Path) -> SegmentHeader | None:
    """The head of a journal file; None when it does not read back, or the file was delivered meanwhile."""
    if (found := read_file(path)) is None:
        return None
    for kind, body, _ in split_records(found[1]):
        return SegmentHeader.unpack(body) if kind is RecordKind.HEADER else None
    return None
