"""Whether another game can be recorded: room on the journal's disk, and a delivery that gets on."""

import asyncio
import json
import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skill_arcade.errors import NotReady
from skill_arcade.recording.journal import SEALED
from skill_arcade.recording.journal_files import list_episodes
from skill_arcade.recording.segment import DAMAGED_SUFFIX

POLL_SECONDS = 2.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for delivery. `oldest`: when the oldest was written, Unix seconds."""

    n_segments: int = 0
    n_bytes: int = 0
    oldest: float | None = None
    n_damaged: int = 0


class RecordingCapacity:
    """Looks at the journal now and then, and says in words why no new game may start."""

    def __init__(
        self,
        folder: Path,
        report: Path,
        *,
        min_free_bytes: int,
        max_stall_seconds: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`report` is what delivery writes about itself; `now` must not jump."""
        self.folder, self.min_free_bytes = folder, min_free_bytes
        self._status_path, self._max_stall_seconds, self._now = report, max_stall_seconds, now
        self._stalled_since: float | None = None
        self.backlog = Backlog()
        self.uploader_status: dict[str, Any] = {}

    @property
    def free_bytes(self) -> int:
        """Room on the journal's disk. Raises NotReady when it can't be used."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            return shutil.disk_usage(self.folder).free
        except OSError as error:
            raise NotReady(f"The journal's folder can't be used: {error}.") from error

    @property
    def stalled_seconds(self) -> float:
        """How long something has waited while nothing was delivered."""
        return 0.0 if self._stalled_since is None else self._now() - self._stalled_since

    def check(self) -> None:
        """Raise NotReady, with a reason for the player, when another game could not be recorded."""
        free = self.free_bytes
        if free < self.min_free_bytes:
            raise NotReady(f"The recording disk has {free >> 20} MB left, so no new game starts; try again later.")
        if self.stalled_seconds > self._max_stall_seconds:
            raise NotReady("What is played can't be put away at the moment, so no new game starts; try again later.")

    @property
    def rejection_reason(self) -> str:
        """What `check` says; empty when there is room."""
        try:
            self.check()
        except NotReady as error:
            return str(error)
        return ""

    async def watch(self, broadcast: Callable[[str], None]) -> None:
        """Look every other second, until cancelled; `tell` gets each change of the refusal."""
        told = ""
        while True:
            try:
                await asyncio.to_thread(self.poll)
            except OSError as trouble:  # whoever wants to play is told by `check`; the next look may go well
                log.warning("the journal can't be looked at: %s", trouble)
            if (refusal := self.rejection_reason) != told:
                broadcast(told := refusal)
            await asyncio.sleep(POLL_SECONDS)

    def poll(self) -> None:
        """Take stock: what waits, and whether delivery has done anything since the last look."""
        before, self.backlog = self.uploader_status.get("segments"), measure_backlog(self.folder)
        self.uploader_status = _read_status(self._status_path)
        if not self.backlog.n_segments or self.uploader_status.get("segments") != before:
            self._stalled_since = None
        elif self._stalled_since is None:
            self._stalled_since = self._now()


def measure_backlog(folder: Path) -> Backlog:
    """Count what waits in the journal in `folder`."""
    sealed, damaged = [], 0
    for episode in list_episodes(folder):
        try:
            for path in episode.iterdir():
                damaged += path.suffix == DAMAGED_SUFFIX
                if path.suffix == SEALED:
                    sealed.append(path.stat())
        except FileNotFoundError:  # delivered meanwhile
            continue
    return Backlog(
        len(sealed),
        sum(found.st_size for found in sealed),
        min((found.st_mtime for found in sealed), default=None),
        damaged,
    )


def _read_status(path: Path) -> dict[str, Any]:
    try:
        report: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):  # none yet, or cut off by a loss of power: delivery writes it anew
        return {}
    return report
