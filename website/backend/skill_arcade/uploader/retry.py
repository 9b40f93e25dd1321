"""Uploads quarantined segments again, after the cause was fixed (rule R12)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import JournalDamaged, ObjectMissing
from skill_arcade.recording.quarantine import delete_quarantined, list_quarantined
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.quarantine import delete_mark, list_marks
from skill_arcade.storage.objects import ObjectStore
from skill_arcade.uploader.objects import quarantine_key
from skill_arcade.uploader.uploader import RejectedSegment, upload_segment


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """A quarantined segment, wherever it is known from.

    `path` is None if the segment is not in this machine's journal. `is_marked` is False if its header cannot be read.
    """

    episode_id: UUID
    number: int
    reason: str
    path: Path | None
    is_marked: bool


@dataclass(frozen=True, slots=True)
class RetryResult:
    """What a retry did. `error` is empty if the segment was uploaded."""

    entry: QuarantineEntry
    error: str


async def list_entries(journal: Path, engine: AsyncEngine) -> list[QuarantineEntry]:
    """Return all quarantined segments of this journal and of the database, oldest episode first."""
    found: dict[tuple[UUID, int], QuarantineEntry] = {}
    async with transaction(engine) as connection:
        for mark in await list_marks(connection):
            key = (mark.episode_id, mark.number)
            found[key] = QuarantineEntry(*key, mark.reason, None, is_marked=True)
    for segment in list_quarantined(journal):
        key = (segment.episode_id, segment.number)
        reason = str(segment.reason) if segment.reason is not None else "no reason was written"
        found[key] = QuarantineEntry(*key, reason, segment.path, is_marked=key in found)
    return [found[key] for key in sorted(found)]


async def retry_entries(
    entries: list[QuarantineEntry], objects: ObjectStore, engine: AsyncEngine
) -> AsyncIterator[RetryResult]:
    """Upload quarantined segments again. Each one that succeeds leaves quarantine; the others stay as they are.

    Raises:
        NotReady, DBAPIError: a temporary failure. Segments that were not tried stay in quarantine.
    """
    for entry in entries:
        try:
            data = await _read_segment(entry, objects)
            await upload_segment(data, entry.path or Path(f"{entry.number:06d}.quarantined"), objects, engine)
        except (RejectedSegment, JournalDamaged, ObjectMissing) as error:
            yield RetryResult(entry, str(error))
            continue
        async with transaction(engine) as connection:
            await delete_mark(connection, entry.episode_id, entry.number)
        for kind in ("segment", "json"):
            await objects.delete(quarantine_key(entry.episode_id, entry.number, kind))
        if entry.path is not None:
            delete_quarantined(entry.path)
        yield RetryResult(entry, "")


async def _read_segment(entry: QuarantineEntry, objects: ObjectStore) -> bytes:
    if entry.path is not None:
        return entry.path.read_bytes()
    return await objects.get(quarantine_key(entry.episode_id, entry.number, "segment"))
