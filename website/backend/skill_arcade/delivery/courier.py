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

from skill_arcade.delivery.objects import build_objects
from skill_arcade.delivery.rows import build_delivery
from skill_arcade.errors import JournalDamaged, PlayerErased
from skill_arcade.recording.backlog import list_episodes
from skill_arcade.recording.journal import NEW, OPEN, RESERVE, SEALED, lock_episode, sync_folder
from skill_arcade.recording.segment import DAMAGED, adopt_orphan, read_segment
from skill_arcade.storage.database.delivered import store_delivery
from skill_arcade.storage.objects import ObjectStore

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
"""How often the journal is looked at: a listing costs microseconds, and an ended episode is in the database at once."""
ADOPT_SECONDS = 2.0
BACK_OFF_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(slots=True)
class Tally:
    """What this courier has done so far."""

    segments: int = 0
    transitions: int = 0
    failures: int = 0
    last_delivery: float | None = None
    """Unix time."""
    damaged: list[Path] = field(default_factory=list)


class Courier:
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
        self._report, self._reported = report, ""
        self._folder, self._objects, self._engine = journal_folder, objects, engine
        self._slots = asyncio.Semaphore(workers)
        self._busy: dict[Path, asyncio.Task[None]] = {}
        self._failed: dict[Path, tuple[int, float]] = {}
        self.tally = Tally()

    async def run(self, stopping: asyncio.Event) -> None:
        """Deliver until told to stop; then everything that is sealed by then."""
        adopted = float("-inf")
        while not stopping.is_set():
            now = asyncio.get_running_loop().time()
            if now - adopted >= ADOPT_SECONDS:
                adopted = now
                self.adopt()
            self._dispatch(now)
            self._tell()
            try:
                await asyncio.wait_for(stopping.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue
        await self.drain()

    async def drain(self) -> None:
        """Deliver all that is there, trying again until it is gone. A dead game's episode is finished first."""
        while True:
            self.adopt()
            self._dispatch(asyncio.get_running_loop().time())
            if not self._busy and not self._waiting():
                return
            await asyncio.sleep(LOOK_SECONDS / 4)

    def _tell(self) -> None:
        """Write the tally down when it has changed. A full disk may refuse it: it is not what must be kept."""
        tally = self.tally
        text = json.dumps({**asdict(replace(tally, damaged=[])), "damaged": len(tally.damaged)})
        if self._report is None or text == self._reported:
            return
        try:
            fresh = self._report.with_suffix(".new")
            fresh.write_text(text)
            fresh.rename(self._report)
            self._reported = text
        except OSError as refusal:
            log.warning("the report of delivery can't be written: %s", refusal)

    def adopt(self) -> None:
        """Finish the episodes of dead games. One that can't be finished now must not hold up the others."""
        for folder in list_episodes(self._folder):
            try:
                if any(folder.glob(f"*{OPEN}")):
                    adopt_orphan(folder)
                elif not any(path.suffix in (SEALED, DAMAGED) for path in folder.iterdir()):
                    self._forget(folder)
            except JournalDamaged as damaged:
                log.error("%s", damaged)
            except FileNotFoundError:
                continue  # its last segment was delivered meanwhile
            except OSError as refusal:  # a full disk: delivery makes room, and the next look finds it
                log.warning("the episode of a dead game, %s, can't be finished yet: %s", folder.name, refusal)

    def _forget(self, folder: Path) -> None:
        """Remove the folder of a game that died before its first segment, or after its last one."""
        if (lock := lock_episode(folder)) is None:
            return
        try:
            for left in (*folder.glob(f"*{NEW}"), folder / RESERVE):
                left.unlink(missing_ok=True)
            folder.rmdir()
        finally:
            os.close(lock)

    def _waiting(self) -> list[Path]:
        return [folder for folder in list_episodes(self._folder) if next_sealed(folder) is not None]

    def _dispatch(self, now: float) -> None:
        for folder in self._waiting():
            if folder not in self._busy and self._failed.get(folder, (0, 0.0))[1] <= now:
                task = asyncio.create_task(self._deliver_episode(folder))
                self._busy[folder] = task
                task.add_done_callback(partial(self._done, folder))

    def _done(self, folder: Path, task: asyncio.Task[None]) -> None:
        del self._busy[folder]

    async def _deliver_episode(self, folder: Path) -> None:
        """Deliver an episode's sealed segments in order. The one place where a failure is logged, and waits."""
        async with self._slots:
            try:
                while (path := next_sealed(folder)) is not None:
                    await self._deliver_segment(path)
            except JournalDamaged as damaged:
                log.error("%s", damaged)
                assert path is not None
                self.tally.damaged.append(path.rename(path.with_suffix(DAMAGED)))
            except Exception as failure:  # noqa: BLE001 whatever went wrong, the segment stays and is tried again
                count = self._failed.get(folder, (0, 0.0))[0]
                wait = BACK_OFF_SECONDS[min(count, len(BACK_OFF_SECONDS) - 1)]
                self._failed[folder] = count + 1, asyncio.get_running_loop().time() + wait
                self.tally.failures += 1
                log.warning("delivery of %s waits %.1f s: %s: %s", folder.name, wait, type(failure).__name__, failure)
            else:
                self._failed.pop(folder, None)

    async def _deliver_segment(self, path: Path) -> None:
        segment = read_segment(path)
        objects = build_objects(segment)
        for key, data in objects.items():
            await self._objects.put(key, data)
        try:
            await store_delivery(self._engine, build_delivery(segment, objects))
        except PlayerErased:
            # Whatever is put is taken away again before the journal forgets: a kill in between leaves nothing behind.
            for key in objects:
                await self._objects.delete(key)
        path.unlink(missing_ok=True)
        if segment.end is not None and not any(path.parent.iterdir()):
            path.parent.rmdir()
        sync_folder(path.parent if path.parent.exists() else self._folder)
        self.tally.segments += 1
        self.tally.last_delivery = time.time()
        self.tally.transitions += len(segment.steps)


def next_sealed(folder: Path) -> Path | None:
    """The first segment of an episode, if it is sealed. A damaged one is stepped over: it is set aside, by name."""
    try:
        first = min((path for path in folder.iterdir() if path.suffix in (OPEN, SEALED)), default=None)
    except FileNotFoundError:
        return None
    return first if first is not None and first.suffix == SEALED else None
