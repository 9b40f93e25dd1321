"""What of the journal is still on this disk: nothing here changes it."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from skill_arcade.recording.journal import OPEN, SEALED
from skill_arcade.recording.segment import DAMAGED, parse_segment


@dataclass(frozen=True, slots=True)
class Piece:
    """A journal file, as far as it reads back: `n_steps` whole steps from `first_step` on.

    `whole`: sealed and every record of it reads back, or still open. `end_step`: how many steps the episode's end
    says there were; None: no end in it.
    """

    path: Path
    number: int
    first_step: int
    n_steps: int
    whole: bool
    end_step: int | None


def list_episodes(folder: Path) -> list[Path]:
    """Folders of the episodes that the journal in `folder` still has something of, oldest first."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and _is_id(path.name)) if folder.is_dir() else []


def list_pieces(folder: Path) -> dict[UUID, list[Piece]]:
    """Every file of the journal in `folder`, by episode. One whose head does not read back counts as no steps."""
    found: dict[UUID, list[Piece]] = {}
    for place in list_episodes(folder):
        if pieces := [piece for path in _files(place) if (piece := read_piece(path)) is not None]:
            found[UUID(place.name)] = pieces
    return found


def read_piece(path: Path) -> Piece | None:
    """What a journal file holds; None when it was delivered, and so removed, meanwhile."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    segment, whole = parse_segment(data)
    number = int(path.stem.partition(".")[0])
    if segment is None:
        return Piece(path, number, 0, 0, whole=False, end_step=None)
    fits = whole == len(data) and segment.sealed if path.suffix != OPEN else True
    end = segment.end.n_steps if segment.end is not None else None
    return Piece(path, number, segment.head.first_step, len(segment.steps), whole=fits, end_step=end)


def _is_id(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True


def _files(place: Path) -> list[Path]:
    try:
        return sorted(path for path in place.iterdir() if path.suffix in (OPEN, SEALED, DAMAGED))
    except FileNotFoundError:
        return []
