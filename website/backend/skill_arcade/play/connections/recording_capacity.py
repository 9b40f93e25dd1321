"""Admission control for new games: free space on the journal's disk, and uploads that make progress."""

import asyncio
import json
import logging
import math
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skill_arcade.errors import NotReady
from skill_arcade.recording.journal import SEALED
from skill_arcade.recording.journal_files import list_episodes
from skill_arcade.recording.quarantine import QUARANTINED_SUFFIX
from skill_arcade.recording.quota import mark_over_quota, measure_bytes
from skill_arcade.recording.segment import DAMAGED_SUFFIX

POLL_SECONDS = 2.0
MAX_UPLOADER_SILENCE_SECONDS = 60.0
"""Time without a sign of life after which the uploader counts as hanging. It gives one every 10 s."""
MAX_STATUS_BYTES = 65_536
"""Bytes of the uploader's status that are read."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backlog:
    """Sealed segments that wait for upload.

    `oldest_at` is when the oldest was written (Unix seconds), or None if none waits.
    """

    n_segments: int = 0
    n_bytes: int = 0
    oldest_at: float | None = None
    n_damaged: int = 0
    n_quarantined: int = 0


class RecordingCapacity:
    """Polls the journal and the uploader's status, and decides whether another game can be recorded."""

    def __init__(
        self,
        folder: Path,
        status_path: Path,
        *,
        min_free_bytes: int,
        max_stall_seconds: float,
        max_bytes: int | None = None,
        now: Callable[[], float] = time.monotonic,
        storage_answers: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        """`status_path` is the file in which the uploader reports its status; `now` must be a monotonic clock.

        `max_bytes` is the quota of the journal, None if only its disk limits it (rule R17).

        `storage_answers` probes the database and the object store when uploads make no progress. Without it, no
        progress means an outage.
        """
        self.folder, self.min_free_bytes, self.max_bytes = folder, min_free_bytes, max_bytes
        self._used_bytes = 0
        self._status_path, self._max_stall_seconds, self._now = status_path, max_stall_seconds, now
        self._stalled_since: float | None = None
        self._storage_answers = storage_answers
        self._has_outage, self._was_stalled = storage_answers is None, False
        self.backlog = Backlog()
        self.uploader_status: dict[str, Any] = {}

    @property
    def free_bytes(self) -> int:
        """Free bytes on the journal's disk and below its quota. Raises NotReady if the folder is unusable."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise NotReady(f"Cannot use the journal folder: {error}.") from error
        return free if self.max_bytes is None else max(0, min(free, self.max_bytes - self._used_bytes))

    @property
    def stalled_seconds(self) -> float:
        """Seconds for which segments have waited without any upload."""
        return 0.0 if self._stalled_since is None else self._now() - self._stalled_since

    def check(self) -> None:
        """Raise NotReady, with a message for the player, if another game could not be recorded."""
        free = self.free_bytes
        if free < self.min_free_bytes:
            raise NotReady(
                f"New games cannot start: the recording disk has only {free >> 20} MB free. Try again later."
            )
        if self.is_stalled and self._has_outage:
            raise NotReady("New games cannot start: recordings are not being uploaded. Try again later.")

    @property
    def is_stalled(self) -> bool:
        """True if segments have waited for longer than the limit without any upload."""
        return self.stalled_seconds > self._max_stall_seconds

    async def probe(self) -> None:
        """Find out whether a stall is an outage, or whether only the waiting segments cannot be uploaded (rule R13)."""
        if self._storage_answers is None:
            return
        has_outage = self.is_stalled and not (self._is_uploader_alive() and await self._storage_answers())
        if self.is_stalled and not has_outage and (self._has_outage or not self._was_stalled):
            log.error("uploads stalled although storage answers, new games start segments=%d", self.backlog.n_segments)
        self._has_outage, self._was_stalled = has_outage, self.is_stalled

    def _is_uploader_alive(self) -> bool:
        alive_at = self.uploader_status.get("alive_at")
        return alive_at is not None and self._now() - alive_at < MAX_UPLOADER_SILENCE_SECONDS

    @property
    def rejection_reason(self) -> str:
        """The message of `check`, or an empty string if new games may start."""
        try:
            self.check()
        except NotReady as error:
            return str(error)
        return ""

    async def watch(self, broadcast: Callable[[str], None]) -> None:
        """Poll until cancelled, and call `broadcast` with each change of the rejection reason."""
        last_reason = ""
        while True:
            try:
                await asyncio.to_thread(self.poll)
            except OSError as error:  # `check` reports it to players; the next poll may succeed
                log.warning("cannot read the journal folder, retry_s=%.0f: %s", POLL_SECONDS, error)
            await self.probe()
            if (reason := self.rejection_reason) != last_reason:
                broadcast(last_reason := reason)
            await asyncio.sleep(POLL_SECONDS)

    def poll(self) -> None:
        """Measure the backlog, and whether the uploader has made progress since the last poll."""
        if self.max_bytes is not None:
            self._used_bytes = measure_bytes(self.folder)
            mark_over_quota(self.folder, is_over=self._used_bytes > self.max_bytes)
        n_uploaded, self.backlog = self.uploader_status.get("segments"), measure_backlog(self.folder)
        self.uploader_status = _read_status(self._status_path)
        if not self.backlog.n_segments or self.uploader_status.get("segments") != n_uploaded:
            self._stalled_since = None
        elif self._stalled_since is None:
            self._stalled_since = self._now()


def measure_backlog(folder: Path) -> Backlog:
    """Count the sealed, the damaged and the quarantined segments in the journal in `folder`."""
    sealed, n_damaged, n_quarantined = [], 0, 0
    for episode in list_episodes(folder):
        try:
            for path in episode.iterdir():
                n_damaged += path.suffix == DAMAGED_SUFFIX
                n_quarantined += path.suffix == QUARANTINED_SUFFIX
                if path.suffix == SEALED:
                    sealed.append(path.stat())
        except FileNotFoundError:  # uploaded and removed meanwhile
            continue
    return Backlog(
        len(sealed),
        sum(stat.st_size for stat in sealed),
        min((stat.st_mtime for stat in sealed), default=None),
        n_damaged,
        n_quarantined,
    )


def _read_status(path: Path) -> dict[str, Any]:
    """Return the uploader's counters, or nothing if the file is missing, cut off or not the uploader's."""
    try:
        if not path.is_file():
            return {}
        with path.open("rb") as file:
            status = json.loads(file.read(MAX_STATUS_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(status, dict):
        return {}
    return {name: value for name, value in status.items() if isinstance(value, int | float) and math.isfinite(value)}
