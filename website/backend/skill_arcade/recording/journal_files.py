"""Lists and reads journal files without changing them."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from skill_arcade.recording.journal import OPEN, SEALED
from skill_arcade.recording.quarantine import QUARANTINED_SUFFIX
from skill_arcade.recording.segment import DAMAGED_SUFFIX, parse_segment


@dataclass(frozen=True, slots=True)
class JournalFile:
    """A journal file and its whole steps: `n_steps` from `first_step` on.

    `is_complete` is True for an open segment, and for a sealed one of which every record can be read. `end_step` is the
    number of steps in the end record, None if the file has none. `fence` is that of its header.
    """

    path: Path
    number: int
    first_step: int
    n_steps: int
    is_complete: bool
    end_step: int | None
    fence: int = 0

    @property
    def is_quarantined(self) -> bool:
        """Whether storage rejected the segment (rule R12)."""
        return self.path.suffix == QUARANTINED_SUFFIX


def list_episodes(folder: Path) -> list[Path]:
    """Return the episode folders in the journal `folder`, oldest episode first."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and _is_id(path.name)) if folder.is_dir() else []


def list_journal_files(folder: Path) -> dict[UUID, list[JournalFile]]:
    """Return the journal files by episode. A file without a readable header counts as zero steps."""
    found: dict[UUID, list[JournalFile]] = {}
    for place in list_episodes(folder):
        # by path, because a segment that was sealed during the listing may appear under both names
        pieces = {piece.path: piece for path in list_files(place) if (piece := read_journal_file(path)) is not None}
        if pieces:
            found[UUID(place.name)] = list(pieces.values())
    return found


def read_journal_file(path: Path) -> JournalFile | None:
    """Return the facts of a journal file, or None if it was uploaded and deleted meanwhile."""
    if (found := read_file(path)) is None:
        return None
    path, data = found
    segment, whole = parse_segment(data)
    number = int(path.stem.partition(".")[0])
    if segment is None:
        return JournalFile(path, number, 0, 0, is_complete=False, end_step=None)
    fits = whole == len(data) and segment.sealed if path.suffix != OPEN else True
    end = segment.end.n_steps if segment.end is not None else None
    header = segment.header
    return JournalFile(
        path, number, header.first_step, len(segment.steps), is_complete=fits, end_step=end, fence=header.fence
    )


def read_file(path: Path) -> tuple[Path, bytes] | None:
    """Return the path and content of a journal file, which may have been renamed since it was listed.

    Returns None if the file was uploaded and deleted.
    """
    for place in dict.fromkeys(
        (path, *(path.with_suffix(suffix) for suffix in (SEALED, DAMAGED_SUFFIX, QUARANTINED_SUFFIX)))
    ):
        try:
            return place, place.read_bytes()
        except FileNotFoundError:
            continue
    return None


def read_tail(path: Path, start: int) -> bytes:
    """Return what a journal file, which may have been sealed since it was listed, has from byte `start` on.

    Returns nothing if the file was uploaded and deleted.
    """
    for place in (path, path.with_suffix(SEALED)):
        try:
            with place.open("rb") as file:
                file.seek(start)
                return file.read()
        except FileNotFoundError:
            continue
    return b""


def list_files(place: Path) -> list[Path]:
    """Return the journal files of one episode, in order. Empty if the episode was uploaded meanwhile."""
    try:
        return sorted(
            path for path in place.iterdir() if path.suffix in (OPEN, SEALED, DAMAGED_SUFFIX, QUARANTINED_SUFFIX)
        )
    except FileNotFoundError:
        return []


def _is_id(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True
