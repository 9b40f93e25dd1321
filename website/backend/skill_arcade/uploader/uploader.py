"""The uploader: takes sealed segments from the journal to the object store, then to Postgres, then deletes them.

Segments of different episodes are uploaded concurrently, segments of one episode in order (rule R9). Every write is
idempotent, so each step may be repeated after a crash. Temporary failures are retried with back-off; a segment whose
content storage rejects is quarantined (rule R12).
"""

import asyncio
import json
import logging
import os
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade import __version__
from skill_arcade.durable_files import fsync_folder, replace_file
from skill_arcade.errors import AccountErased, ConsentWithdrawn, JournalDamaged
from skill_arcade.recording.journal import NEW, OPEN, RESERVE_NAME, SEALED, lock_episode
from skill_arcade.recording.journal_files import list_episodes
from skill_arcade.recording.quarantine import (
    QUARANTINED_SUFFIX,
    QuarantineReason,
    delete_quarantined,
    quarantine_segment,
)
from skill_arcade.recording.segment import DAMAGED_SUFFIX, Segment, parse_segment, read_segment, recover_abandoned
from skill_arcade.storage.database.permanence import find_code, is_permanent
from skill_arcade.storage.database.quarantine import QuarantineMark, mark_quarantined
from skill_arcade.storage.database.segment_writer import SegmentSuperseded, write_segment_rows
from skill_arcade.storage.database.tables import Game
from skill_arcade.storage.objects import ObjectStore
from skill_arcade.uploader.objects import build_objects, quarantine_key, superseded_key
from skill_arcade.uploader.rows import build_episode_row, build_rows, wall_clock

log = logging.getLogger(__name__)

POLL_SECONDS = 0.2
"""Interval at which the uploader lists the journal. A listing takes microseconds."""
RECOVERY_SECONDS = 2.0
"""Interval at which the uploader looks for episodes whose game process has died."""
RECOVERY_GRACE_SECONDS = 3.0
"""Time for which nobody has held an episode before the uploader finishes it: the server, which knows the cause, comes
first. The age of the last record says nothing, because a game that hangs writes none."""
RETRY_BACKOFF_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Delays between retries of an episode's upload; the last one repeats."""
ALIVE_SECONDS = 10
"""Interval at which the status shows that the uploader is alive, also if it uploads nothing."""
MAX_DRAIN_FAILURES = 2
"""Failed attempts after which a stop leaves an episode's segments to the next start, if storage answers."""
PROBE_TIMEOUT_SECONDS = 2.0
"""Timeout of the database and of the object store when they are probed."""
MAX_REASON_CHARACTERS = 2000
"""Longest error message that is stored with a quarantined segment."""
SEGMENT_SUFFIXES = (SEALED, DAMAGED_SUFFIX, QUARANTINED_SUFFIX)


class RejectedSegment(Exception):
    """A segment that storage rejects for its content. `operation` is encode, objects or rows."""

    def __init__(self, operation: str, error: Exception) -> None:
        super().__init__(f"{operation}: {type(error).__name__}: {error}")
        self.operation, self.error = operation, error

    def reason(self) -> QuarantineReason:
        """Return what is stored beside the segment."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        message = str(self.error)[:MAX_REASON_CHARACTERS]
        return QuarantineReason(
            self.operation, type(self.error).__name__, find_code(self.error), message, __version__, now
        )


@dataclass(slots=True)
class UploadStats:
    """Counters since this uploader started. `last_upload` is in Unix time, None before the first upload."""

    segments: int = 0
    transitions: int = 0
    failures: int = 0
    quarantined: int = 0
    superseded: int = 0
    last_upload: float | None = None
    damaged: list[Path] = field(default_factory=list)


class Uploader:
    """Uploads sealed segments: up to `workers` episodes concurrently, each episode's segments in order.

    `workers_while_stopping` episodes are uploaded concurrently once the process stops: no player waits for a CPU then,
    and the time is short. `report` is a file to which the counters are written, for the server to read.
    """

    def __init__(
        self,
        journal_folder: Path,
        objects: ObjectStore,
        engine: AsyncEngine,
        *,
        workers: int,
        workers_while_stopping: int = 0,
        report: Path | None = None,
    ) -> None:
        self._status_path, self._written_status = report, ""
        self._folder, self._objects, self._engine = journal_folder, objects, engine
        self._slots = asyncio.Semaphore(workers)
        self._workers_while_stopping = max(workers, workers_while_stopping)
        self._busy: dict[Path, asyncio.Task[None]] = {}
        self._failed: dict[Path, tuple[int, float]] = {}
        self._left: set[Path] = set()
        self._abandoned_since: dict[Path, float] = {}
        self.stats = UploadStats()

    async def run(self, stopping: asyncio.Event) -> None:
        """Upload until `stopping` is set, then upload everything that is sealed by then."""
        recovered_at = float("-inf")
        while not stopping.is_set():
            now = asyncio.get_running_loop().time()
            if now - recovered_at >= RECOVERY_SECONDS:
                recovered_at = now
                self.recover_abandoned(RECOVERY_GRACE_SECONDS)
            self._dispatch(now)
            self._write_status()
            try:
                await asyncio.wait_for(stopping.wait(), POLL_SECONDS)
            except TimeoutError:
                continue
        await self.drain(is_stopping=True)

    async def drain(self, *, is_stopping: bool = False) -> None:
        """Upload everything in the journal, with retries, until nothing waits. Quarantined segments do not wait.

        If `is_stopping`, segments that cannot be uploaded although storage answers are left to the next start.
        """
        self._failed.clear()  # so that every episode is tried at once
        if is_stopping:
            self._slots = asyncio.Semaphore(self._workers_while_stopping)
        while True:
            self.recover_abandoned()
            self._dispatch(asyncio.get_running_loop().time())
            if is_stopping:
                await self._leave_failing()
            if not self._busy and not self._list_waiting():
                return
            await asyncio.sleep(POLL_SECONDS / 4)

    async def _leave_failing(self) -> None:
        """Leave episodes that failed repeatedly although storage answers (rule R13)."""
        failing = [folder for folder, (count, _) in self._failed.items() if count >= MAX_DRAIN_FAILURES]
        if not failing:
            return
        has_outage = not await storage_answers(self._engine, self._objects)
        for folder in self._failed.keys() & failing:  # one may have been uploaded meanwhile
            if has_outage:  # failures during an outage do not count
                self._failed[folder] = 0, self._failed[folder][1]
            else:
                log.error("segments left to the next start, because their upload fails episode=%s", folder.name)
                del self._failed[folder]
                self._left.add(folder)

    def _write_status(self) -> None:
        """Write the counters if they changed. A full disk is only logged: the counters are not a recording."""
        # The monotonic clock is the same in all processes of a machine.
        alive_at = time.monotonic() // ALIVE_SECONDS * ALIVE_SECONDS
        counts = asdict(replace(self.stats, damaged=[]))
        text = json.dumps({**counts, "damaged": len(self.stats.damaged), "alive_at": alive_at})
        if self._status_path is None or text == self._written_status:
            return
        try:
            replace_file(self._status_path, text.encode())
        except OSError as error:
            log.warning("cannot write uploader status path=%s error=%s", self._status_path, error)
        self._written_status = text  # also after an error, which is logged and retried once per change

    def recover_abandoned(self, grace_seconds: float = 0.0) -> None:
        """Finish the episodes of game processes that died (rule R5). One that fails does not stop the others."""
        folders = list_episodes(self._folder)
        known = set(folders)
        self._abandoned_since = {folder: at for folder, at in self._abandoned_since.items() if folder in known}
        for folder in folders:
            try:
                if list(folder.glob(f"*{OPEN}")):
                    if self._is_abandoned(folder, grace_seconds):
                        recover_abandoned(folder)
                elif not any(path.suffix in SEGMENT_SUFFIXES for path in folder.iterdir()):
                    self._delete_empty(folder)
            except JournalDamaged as damaged:
                log.error("%s", damaged)
            except FileNotFoundError:
                continue  # uploaded since it was listed
            except OSError as error:  # the disk may be full; uploads free space, and the next poll retries
                log.warning("recovery failed, retrying episode=%s error=%s", folder.name, error)

    def _is_abandoned(self, folder: Path, grace_seconds: float) -> bool:
        """Return whether nobody has held an episode at this call and at one `grace_seconds` ago."""
        if (lock := lock_episode(folder)) is None:
            self._abandoned_since.pop(folder, None)
            return False
        os.close(lock)
        now = time.monotonic()
        return now - self._abandoned_since.setdefault(folder, now) >= grace_seconds

    def _delete_empty(self, folder: Path) -> None:
        """Delete the folder of a game process that died before its first segment or after its last one."""
        if (lock := lock_episode(folder)) is None:
            return
        try:
            for path in (*folder.glob(f"*{NEW}"), folder / RESERVE_NAME):
                path.unlink(missing_ok=True)
            folder.rmdir()
        finally:
            os.close(lock)

    def _list_waiting(self) -> list[Path]:
        folders = (folder for folder in list_episodes(self._folder) if folder not in self._left)
        return [folder for folder in folders if next_sealed(folder) is not None]

    def _dispatch(self, now: float) -> None:
        for folder in self._list_waiting():
            if folder not in self._busy and self._failed.get(folder, (0, 0.0))[1] <= now:
                task = asyncio.create_task(self._upload_episode(folder))
                self._busy[folder] = task
                task.add_done_callback(partial(self._on_done, folder))

    def _on_done(self, folder: Path, task: asyncio.Task[None]) -> None:
        del self._busy[folder]

    async def _upload_episode(self, folder: Path) -> None:
        """Upload an episode's sealed segments in order. The only place that logs failures and schedules retries."""
        async with self._slots:
            try:
                while (path := next_sealed(folder)) is not None:
                    try:
                        await self._upload_segment(path)
                    except JournalDamaged as damaged:
                        log.error("%s", damaged)
                        self.stats.damaged.append(path.rename(path.with_suffix(DAMAGED_SUFFIX)))
                    except RejectedSegment as rejected:
                        await self._quarantine(path, rejected)
            except Exception as error:  # noqa: BLE001  (whatever it is, the segment stays and is retried)
                count = self._failed.get(folder, (0, 0.0))[0]
                delay = RETRY_BACKOFF_SECONDS[min(count, len(RETRY_BACKOFF_SECONDS) - 1)]
                self._failed[folder] = count + 1, asyncio.get_running_loop().time() + delay
                self.stats.failures += 1
                kind = type(error).__name__
                log.warning(
                    "upload failed, retrying episode=%s delay_s=%.1f error=%s: %s", folder.name, delay, kind, error
                )
            else:
                self._failed.pop(folder, None)

    async def _upload_segment(self, path: Path) -> None:
        data = path.read_bytes()
        try:
            segment = await upload_segment(data, path, self._objects, self._engine)
        except SegmentSuperseded:
            await self._set_superseded(path, data)
            return
        self._delete(path, segment)
        self.stats.segments += 1
        self.stats.last_upload = time.time()
        self.stats.transitions += len(segment.steps)

    def _delete(self, path: Path, segment: Segment) -> None:
        """Delete a segment that is stored, and the episode's folder after its last one."""
        path.unlink(missing_ok=True)
        if (segment.end is not None or segment.is_handed_over) and not any(path.parent.iterdir()):
            path.parent.rmdir()
        fsync_folder(path.parent if path.parent.exists() else self._folder)

    async def _set_superseded(self, path: Path, data: bytes) -> None:
        """Keep a segment without which another server has continued the episode, as an object beside the others."""
        segment = read_segment(path, data)
        header = segment.header
        await self._objects.put(superseded_key(header.episode_id, header.number, header.fence), data)
        self._delete(path, segment)
        self.stats.superseded += 1
        log.warning(
            "segment superseded episode=%s number=%d fence=%d steps=%d",
            header.episode_id,
            header.number,
            header.fence,
            len(segment.steps),
        )

    async def _quarantine(self, path: Path, rejected: RejectedSegment) -> None:
        """Set a rejected segment aside: mark its episode, copy it to the object store, then rename it.

        A crash in between repeats everything. The copy is best effort, because the object store may be what rejects
        the segment; the journal keeps it in any case.
        """
        reason, data = rejected.reason(), path.read_bytes()
        segment, _ = parse_segment(data)
        number = int(path.stem)
        if segment is not None:
            header, end = segment.header, segment.end
            mark = QuarantineMark(
                header.episode_id,
                number,
                len(segment.steps),
                reason.operation,
                reason.code,
                str(reason),
                reason.version,
                None if end is None else wall_clock(header, end.ended_us),
            )
            try:
                await mark_quarantined(self._engine, mark, build_episode_row(header))
            except (AccountErased, ConsentWithdrawn):
                delete_quarantined(path)
                return
            for suffix, content in (("segment", data), ("json", reason.write().encode())):
                try:
                    await self._objects.put(quarantine_key(header.episode_id, number, suffix), content)
                except Exception as error:
                    if not is_permanent(error):
                        raise
                    log.error(
                        "cannot copy quarantined segment episode=%s number=%d error=%s", path.parent.name, number, error
                    )
        quarantine_segment(path, reason)
        self.stats.quarantined += 1
        log.error("segment quarantined episode=%s number=%d reason=%s", path.parent.name, number, reason)


async def storage_answers(engine: AsyncEngine, objects: ObjectStore) -> bool:
    """Return whether the database and the object store accept writes. What is written is taken back."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_SECONDS), engine.connect() as connection:
            await connection.execute(insert(Game).values(id=f"probe {uuid4()}", config={}))
            await connection.rollback()
            await objects.ready()
    except Exception as error:  # noqa: BLE001  (whatever it is, storage does not work)
        log.warning("storage does not answer error=%s: %s", type(error).__name__, error)
        return False
    return True


async def upload_segment(data: bytes, path: Path, objects: ObjectStore, engine: AsyncEngine) -> Segment:
    """Store a segment's objects, then its rows. Return the segment. Repeating it stores the same bytes.

    `data` is the segment's content; `path` is its file, for messages and for the repair of a flipped bit.

    Raises:
        JournalDamaged: the segment does not read back as it was written.
        RejectedSegment: storage rejects it for its content.
        SegmentSuperseded: another server has continued the episode without it; its objects are deleted.
        NotReady, DBAPIError, OSError: a temporary failure.
    """
    segment, operation = read_segment(path, data), "encode"
    try:
        encoded = build_objects(segment)
        rows = build_rows(segment, encoded)
        operation = "objects"
        for key, content in encoded.items():
            await objects.put(key, content)
        operation = "rows"
        await write_segment_rows(engine, rows)
    except (AccountErased, ConsentWithdrawn):
        # Delete the objects before the journal file, so that a crash in between leaves nothing behind.
        for key in encoded:
            await objects.delete(key)
    except SegmentSuperseded:
        for key in encoded:
            await objects.delete(key)
        raise
    except Exception as error:
        if is_permanent(error):
            raise RejectedSegment(operation, error) from error
        raise
    return segment


def next_sealed(folder: Path) -> Path | None:
    """Return the first segment of an episode if it is sealed, else None. Damaged and quarantined ones are skipped."""
    try:
        first = min((path for path in folder.iterdir() if path.suffix in (OPEN, SEALED)), default=None)
    except FileNotFoundError:
        return None
    return first if first is not None and first.suffix == SEALED else None
