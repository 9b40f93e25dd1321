"""Quarantine: segments that storage rejects for their content are set aside whole, with the reason (rule R12).

A quarantined segment is `{number}.quarantined` in the episode's folder of the journal, with its reason in
`{number}.reason.json` beside it. The uploader also copies both to the object store, beside the episode's objects, so
that they survive a server whose disk does not outlive it.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from skill_arcade.durable_files import fsync_folder, replace_file

QUARANTINED_SUFFIX = ".quarantined"
REASON_SUFFIX = ".reason.json"
TEMP_SUFFIX = ".new-reason"


@dataclass(frozen=True, slots=True)
class QuarantineReason:
    """Why a segment was rejected.

    `operation` is what failed: `encode`, `objects` or `rows`. `code` is the SQLSTATE or HTTP status, empty if there is
    none. `time` is in ISO 8601, UTC.
    """

    operation: str
    error: str
    code: str
    message: str
    version: str
    time: str

    @classmethod
    def read(cls, text: str | bytes) -> "QuarantineReason":
        """Parse the JSON that `write` made. Raises ValueError or TypeError if it is something else."""
        return cls(**json.loads(text))

    def write(self) -> str:
        """Return the reason as JSON."""
        return json.dumps(asdict(self), indent=1)

    def __str__(self) -> str:
        code = f" {self.code}" if self.code else ""
        return f"{self.error}{code} in {self.operation}: {self.message}"


@dataclass(frozen=True, slots=True)
class QuarantinedSegment:
    """A quarantined segment of the journal. `reason` is None if the process died before it was written whole."""

    episode_id: UUID
    number: int
    path: Path
    reason: QuarantineReason | None


def quarantine_segment(path: Path, reason: QuarantineReason) -> Path:
    """Set a sealed segment aside and return its new path. Repeating it after a crash is harmless.

    The reason is durable before the segment is renamed, so a quarantined segment always has one.

    Raises:
        OSError: the disk is full or cannot be written; the segment then stays sealed.
    """
    replace_file(path.with_suffix(REASON_SUFFIX), reason.write().encode(), suffix=TEMP_SUFFIX, durable=True)
    aside = path.rename(path.with_suffix(QUARANTINED_SUFFIX))
    fsync_folder(path.parent)
    return aside


def list_quarantined(journal: Path) -> list[QuarantinedSegment]:
    """Return the quarantined segments of the journal, oldest episode first."""
    return [_read_quarantined(path) for path in sorted(journal.glob(f"*/*{QUARANTINED_SUFFIX}"))]


def delete_quarantined(path: Path) -> None:
    """Delete a quarantined segment, its reason, and the episode's folder if nothing else is in it."""
    path.unlink(missing_ok=True)
    path.with_suffix(REASON_SUFFIX).unlink(missing_ok=True)
    if path.parent.exists() and not any(path.parent.iterdir()):
        path.parent.rmdir()


def _read_quarantined(path: Path) -> QuarantinedSegment:
    try:
        reason = QuarantineReason.read(path.with_suffix(REASON_SUFFIX).read_text())
    except (OSError, ValueError, TypeError):
        reason = None
    return QuarantinedSegment(UUID(path.parent.name), int(path.stem), path, reason)
