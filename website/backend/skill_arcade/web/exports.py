"""Export downloads: each is generated while it is downloaded, by a child process, and its progress is tracked here."""

import asyncio
import contextlib
import json
import logging
import math
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal

from skill_arcade.errors import ArcadeError, InvalidRequest, NotFound, NotReady, TooManyExports
from skill_arcade.export.selection import ExportSelection
from skill_arcade.settings import Settings

log = logging.getLogger(__name__)

# Each uses a CPU core at low priority and two database connections.
MAX_CONCURRENT_EXPORTS = 2
MAX_REMEMBERED_DOWNLOADS = 200
CHUNK_BYTES = 1 << 16
MIN_CLIENT_SECONDS = 30.0
"""Time for which a client must have been waited for before its download counts as slow."""
MIN_SHARED_BYTES_PER_SECOND = 128 * 1024
"""Speed below which a download is stopped if another user waits for its turn. Alone, 4 kB/s are enough."""
PUBLIC_ERRORS = {kind.__name__: kind for kind in (InvalidRequest, NotFound, NotReady)}
FAILED_MESSAGE = "The export failed because of an error in the server. Start it again."
STOPPED_MESSAGE = "The download was cancelled. Start it again."
TOO_SLOW_MESSAGE = (
    "The download was stopped: your connection is too slow, and other users are waiting. Start it again later."
)
State = Literal["unknown", "waiting", "making", "ready", "done", "failed"]


class ExportDownload:
    """One download and its progress. It must be closed in any case."""

    def __init__(self, user_id: str, state: State = "making", now: Callable[[], float] = time.monotonic) -> None:
        self.user_id, self._now = user_id, now
        self._client_seconds, self._yielded_at = 0.0, float("nan")
        self.state: State = state
        self.episodes = self.of = self.bytes = 0
        self.message = ""
        self._left_out: list[str] = []
        self._n_without_consent = 0
        self._error: ArcadeError | None = None
        self._first_chunk = b""
        self._reader: asyncio.Task[None] | None = None
        self._process: Process | None = None
        self._ending: asyncio.Task[None] | None = None

    async def start(self, settings: Settings, selection: ExportSelection) -> None:
        """Start the child process and wait for its first bytes.

        Raises:
            ArcadeError: the export cannot be generated; the message says why.
        """
        command = (sys.executable, "-m", "skill_arcade.export.stream")
        process = self._process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=CHUNK_BYTES
        )
        self._reader = asyncio.create_task(self._read_progress(process))
        request = {"settings": settings.model_dump(mode="json"), "wanted": selection.model_dump(mode="json")}
        assert process.stdin is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.close()
        self._first_chunk = await self._read()
        if not self._first_chunk:
            await self._reader
            raise self._error or NotReady(self.message)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the bytes of the ZIP. They are complete if `state` is `done` afterwards."""
        chunk = self._first_chunk
        while chunk:
            self.bytes += len(chunk)
            self._yielded_at = self._now()
            yield chunk
            self._client_seconds += self._now() - self._yielded_at
            self._yielded_at = float("nan")
            chunk = await self._read() if self._ending is None else b""
        assert self._reader is not None
        await asyncio.shield(self._reader)
        if not self.message:
            self.state, self.message = "done", describe_left_out(self._left_out, self.of, self._n_without_consent)

    @property
    def is_slow(self) -> bool:
        """True if the client, not the export, takes the time, and is below `MIN_SHARED_BYTES_PER_SECOND`."""
        waiting = 0.0 if math.isnan(self._yielded_at) else self._now() - self._yielded_at
        seconds = self._client_seconds + waiting
        return seconds > MIN_CLIENT_SECONDS and self.bytes < seconds * MIN_SHARED_BYTES_PER_SECOND

    def close(self, message: str = STOPPED_MESSAGE) -> asyncio.Task[None]:
        """Stop the export; return a task that ends when its process has exited."""
        if self.state == "making":
            self.state, self.message = "failed", self.message or message
        self._ending = self._ending or asyncio.create_task(self._end())
        return self._ending

    async def _end(self) -> None:
        process = self._process
        if process is None or self._reader is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        # The process cannot exit while its output pipe is full.
        while await self._read():
            pass
        await self._reader

    async def _read(self) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        return await self._process.stdout.read(CHUNK_BYTES)

    async def _read_progress(self, process: Process) -> None:
        """Read the progress lines of the process until it exits."""
        assert process.stderr is not None
        async for line in process.stderr:
            self._handle_progress_line(line)
        code = await process.wait()
        if code != 0 and not self.message:
            log.error("export process failed exit_code=%s", code)
            self.message = FAILED_MESSAGE

    def _handle_progress_line(self, line: bytes) -> None:
        try:
            progress: dict[str, Any] = json.loads(line)
            error = progress.get("error")
        except (ValueError, AttributeError):
            log.warning("export process wrote an unexpected line: %s", line.decode(errors="replace").rstrip())
            return
        if error is None:
            self.episodes, self.of = progress["episodes"], progress["of"]
            self._n_without_consent = progress.get("without_consent", self._n_without_consent)
            for entry in progress.get("left_out", ()):
                log.warning("export left out an episode episode_id=%s: %s", entry["episode"], entry["reason"])
                self._left_out.append(entry["reason"])
            return
        log.warning("export failed error=%s: %s", error, progress["message"])
        self.message = progress["message"] if error in PUBLIC_ERRORS else FAILED_MESSAGE
        self._error = PUBLIC_ERRORS.get(error, NotReady)(self.message)


def describe_left_out(reasons: list[str], of: int, n_without_consent: int = 0) -> str:
    """Return sentences about the episodes that an export left out, or an empty text if there are none."""
    refused = (
        f"{n_without_consent} episodes are left out, because their players do not allow research. "
        if n_without_consent
        else ""
    )
    if not reasons:
        return refused.rstrip()
    verb = f"episode{'' if of == 1 else 's'} {'is' if len(reasons) == 1 else 'are'}"
    return refused + (
        f"{len(reasons)} of {of} {verb} left out, because they cannot be exported. "
        "README.md in the download lists them with the reasons."
    )


class Exports:
    """Runs a few exports at once. Progress is known to this process only, and only of the newest few hundred."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._downloads: dict[str, ExportDownload] = {}

    def progress(self, ticket: str) -> ExportDownload:
        """Return the newest download with this ticket, with state `unknown` if there is none."""
        return self._downloads.get(ticket) or ExportDownload("", "unknown")

    async def open(self, ticket: str, selection: ExportSelection, user_id: str) -> ExportDownload:
        """Start a download, which the caller must close.

        Raises:
            TooManyExports: this user has a download in progress, or the server runs as many as it may.
            ArcadeError: the export cannot be generated; the message says why.
        """
        active = [download for download in self._downloads.values() if download.state == "making"]
        if any(download.user_id == user_id for download in active):
            raise TooManyExports("You already have a download in progress. Wait until it is finished, or cancel it.")
        if len(active) >= MAX_CONCURRENT_EXPORTS and (slow := next((one for one in active if one.is_slow), None)):
            log.info("slow export stopped for another user bytes=%d", slow.bytes)
            slow.close(TOO_SLOW_MESSAGE)
            active.remove(slow)
        if len(active) >= MAX_CONCURRENT_EXPORTS:
            raise TooManyExports("The server is busy with other downloads. Try again in a few minutes.")
        download = ExportDownload(user_id)
        self._downloads.pop(ticket, None)
        self._downloads[ticket] = download
        for key in list(self._downloads)[:-MAX_REMEMBERED_DOWNLOADS]:
            del self._downloads[key]
        try:
            await download.start(self._settings, selection)
        except BaseException:
            download.close()
            raise
        return download

    async def stop(self) -> None:
        """Stop all downloads."""
        await asyncio.gather(*(download.close() for download in self._downloads.values()))
