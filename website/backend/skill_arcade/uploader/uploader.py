"""Deliver what the journal holds: object first, rows second, then forget the segment. Every step may be repeated."""

import asyncio
import json
import logging
import os
import time
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import AccountErased, JournalDamaged
from skill_arcade.recording.journal import NEW, OPEN, RESERVE_NAME, SEALED, fsync_folder, lock_episode
from skill_arcade.recording.journal_files import list_episodes
from skill_arcade.recording.segment import DAMAGED_SUFFIX, read_segment, recover_abandoned
from skill_arcade.storage.database.segment_writer import write_segment_rows
from skill_arcade.storage.objects import ObjectStore
from skill_arcade.uploader.objects import build_objects
from skill_arcade.uploader.rows import build_rows

log = logging.getLogger(__name__)

POLL_SECONDS = 0.2
"""How often the journal is looked at: a listing costs microseconds, and an ended episode is in the database at once."""
RECOVERY_SECONDS = 2.0
"""Interval at which the uploader looks for episodes whose game process has died."""
RETRY_BACKOFF_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(slots=True)
class UploadStats:
    """What this courier has done so far."""

    segments: int = 0
    transitions: int = 0
    failures: int = 0
    last_upload: float | None = None
    """Unix time."""
    damaged: list[Path] = field(default_factory=list)


class Uploader:
    """Carries sealed segments away, several episodes at once, each episode's in order."""

    def __init__(
        self,
        journal_folder: Path,
        objects: ObjectStore,
        engine: AsyncEngine,
        *,
        workers: int,
        report: Path | None = None,
    ) -> None:
        """`report`: a file that keeps the tally for others to read."""
        self._status_path, self._status_written_at = report, ""
        self._folder, self._objects, self._engine = journal_folder, objects, engine
        self._slots = asyncio.Semaphore(workers)
        self._busy: dict[Path, asyncio.Task[None]] = {}
        self._failed: dict[Path, tuple[int, float]] = {}
        self.stats = UploadStats()

    async def run(self, stopping: asyncio.Event) -> None:
        """Deliver until told to stop; then everything that is sealed by then."""
        adopted = float("-inf")
        while not stopping.is_set():
            now = asyncio.get_running_loop().time()
            if now - adopted >= RECOVERY_SECONDS:
                adopted = now
                self.recover_abandoned()
            self._dispatch(now)
            self._write_status()
            try:
                await asyncio.wait_for(stopping.wait(), POLL_SECONDS)
            except TimeoutError:
                continue
        await self.drain()

    async def drain(self) -> None:
        """Deliver all that is there, trying again until it is gone. A dead game's episode is finished first."""
        while True:
            self.recover_abandoned()
            self._dispatch(asyncio.get_running_loop().time())
            if not self._busy and not self._list_waiting():
                return
            await asyncio.sleep(POLL_SECONDS / 4)

    def _write_status(self) -> None:
        """Write the tally down when it has changed. A full disk may refuse it: it is not what must be kept."""
        tally = self.stats
        text = json.dumps({**asdict(replace(tally, damaged=[])), "damaged": len(tally.damaged)})
        if self._status_path is None or text == self._status_written_at:
            return
        try:
            fresh = self._status_path.with_suffix(".new")
            fresh.write_text(text)
            fresh.rename(self._status_path)
            self._status_written_at = text
        except OSError as refusal:
            log.warning("the report of delivery can't be written: %s", refusal)

    def recover_abandoned(self) -> None:
        """Finish the episodes of dead games. One that can't be finished now must not hold up the others."""
        for folder in list_episodes(self._folder):
            try:
                if any(folder.glob(f"*{OPEN}")):
                    recover_abandoned(folder)
                elif not any(path.suffix in (SEALED, DAMAGED_SUFFIX) for path in folder.iterdir()):
                    self._delete_uploaded(folder)
            except JournalDamaged as damaged:
                log.error("%s", damaged)
            except FileNotFoundError:
                continue  # its last segment was delivered meanwhile
            except OSError as refusal:  # a full disk: delivery makes room, and the next look finds it
                log.warning("the episode of a dead game, %s, can't be finished yet: %s", folder.name, refusal)

    def _delete_uploaded(self, folder: Path) -> None:
        """Remove the folder of a game that died before its first segment, or after its last one."""
        if (lock := lock_episode(folder)) is None:
            return
        try:
            for left in (*folder.glob(f"*{NEW}"), folder / RESERVE_NAME):
                left.unlink(missing_ok=True)
            folder.rmdir()
        finally:
            os.close(lock)

    def _list_waiting(self) -> list[Path]:
        return [folder for folder in list_episodes(self._folder) if next_sealed(folder) is not None]

    def _dispatch(self, now: float) -> None:
        for folder in self._list_waiting():
            if folder not in self._busy and self._failed.get(folder, (0, 0.0))[1] <= now:
                task = asyncio.create_task(self._upload_episode(folder))
                self._busy[folder] = task
                task.add_done_callback(partial(self._on_done, folder))

    def _on_done(self, folder: Path, task: asyncio.Task[None]) -> None:
        del self._busy[folder]

    async def _upload_episode(self, folder: Path) -> None:
        """Deliver an episode's sealed segments in order. The one place where a failure is logged, and waits."""
        async with self._slots:
            try:
                while (path := next_sealed(folder)) is not None:
                    await self._upload_segment(path)
            except JournalDamaged as damaged:
                log.error("%s", damaged)
                assert path is not None
                self.stats.damaged.append(path.rename(path.with_suffix(DAMAGED_SUFFIX)))
            except Exception as failure:  # noqa: BLE001 whatever went wrong, the segment stays and is tried again
                count = self._failed.get(folder, (0, 0.0))[0]
                wait = RETRY_BACKOFF_SECONDS[min(count, len(RETRY_BACKOFF_SECONDS) - 1)]
                self._failed[folder] = count + 1, asyncio.get_running_loop().time() + wait
                self.stats.failures += 1
                log.warning("delivery of %s waits %.1f s: %s: %s", folder.name, wait, type(failure).__name__, failure)
            else:
                self._failed.pop(folder, None)

    async def _upload_segment(self, path: Path) -> None:
        segment = read_segment(path)
        objects = build_objects(segment)
        for key, data in objects.items():
            await self._objects.put(key, data)
        try:
            await write_segment_rows(self._engine, build_rows(segment, objects))
        except AccountErased:
            # Whatever is put is taken away again before the journal forgets: a kill in between leaves nothing behind.
            for key in objects:
                await self._objects.delete(key)
        path.unlink(missing_ok=True)
        if segment.end is not None and not any(path.parent.iterdir()):
            path.parent.rmdir()
        fsync_folder(path.parent if path.parent.exists() else self._folder)
        self.stats.segments += 1
        self.stats.last_upload = time.time()
        self.stats.transitions += len(segment.steps)


def next_sealed(folder: Path) -> Path | None:
    """The first segment of an episode, if it is sealed. A damaged one is stepped over: it is set aside, by name."""
    try:
        first = min((path for path in folder.iterdir() if path.suffix in (OPEN, SEALED)), default=None)
    except FileNotFoundError:
        return None
    return first if first is not None and first.suffix == SEALED else None
