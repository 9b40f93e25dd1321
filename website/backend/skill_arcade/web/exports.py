"""Downloads that are made while they are read, each in a process of its own, and how far they are."""

import asyncio
import contextlib
import json
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from typing import Any, Literal

from skill_arcade.errors import ArcadeError, InvalidRequest, NotFound, NotReady, TooManyExports
from skill_arcade.export.selection import ExportSelection
from skill_arcade.settings import Settings

log = logging.getLogger(__name__)

# Each takes a processor's worth of what games leave, and two connections to the database.
MAX_CONCURRENT_EXPORTS = 2
MAX_REMEMBERED_DOWNLOADS = 200
CHUNK_BYTES = 1 << 16
ERRORS = {one.__name__: one for one in (InvalidRequest, NotFound, NotReady)}
BROKEN = "The export broke off: something is wrong in the server, and noted in its log. Ask for it once more."
INCOMPLETE_MESSAGE = "One of the episodes is not whole; whoever runs this arcade can see in its log which one."
STOPPED = "The download was stopped before its end. Ask for it once more."
State = Literal["unknown", "making", "done", "failed"]


class ExportDownload:
    """One download, as far as it is. Close it, whatever happens."""

    def __init__(self, whose: str, state: State = "making") -> None:
        self.user_id = whose
        self.state: State = state
        self.episodes = self.of = self.bytes = 0
        self.message = ""
        self._error: ArcadeError | None = None
        self._first = b""
        self._watch: asyncio.Task[None] | None = None
        self._process: Process | None = None

    async def start(self, settings: Settings, wanted: ExportSelection) -> None:
        """Start the process and wait for its first bytes. Raises ArcadeError: why it can't be made."""
        command = (sys.executable, "-m", "skill_arcade.export.stream")
        process = self._process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=CHUNK_BYTES
        )
        self._watch = asyncio.create_task(self._take_notes(process))
        asked = {"settings": settings.model_dump(mode="json"), "wanted": wanted.model_dump(mode="json")}
        assert process.stdin is not None
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        process.stdin.close()
        self._first = await self._read()
        if not self._first:
            await self._watch
            raise self._error or NotReady(self.message)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Its bytes. They are all, if `state` is `done` afterwards."""
        piece = self._first
        while piece:
            self.bytes += len(piece)
            yield piece
            piece = await self._read()
        assert self._watch is not None
        await asyncio.shield(self._watch)
        if not self.message:
            self.state = "done"

    def close(self) -> asyncio.Task[None]:
        """Make no more of it; returns what waits until all of it is gone."""
        if self.state == "making":
            self.state, self.message = "failed", self.message or STOPPED
        return asyncio.create_task(self._end())

    async def _end(self) -> None:
        process = self._process
        if process is None or self._watch is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        # What it had written before is in the way of its end.
        while await self._read():
            pass
        await self._watch

    async def _read(self) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        return await self._process.stdout.read(CHUNK_BYTES)

    async def _take_notes(self, process: Process) -> None:
        """Note what the process tells, until it has ended."""
        assert process.stderr is not None
        async for line in process.stderr:
            self._note(line)
        code = await process.wait()
        if code != 0 and not self.message:
            log.error("an export ended with code %s", code)
            self.message = BROKEN

    def _note(self, line: bytes) -> None:
        try:
            told: dict[str, Any] = json.loads(line)
            error = told.get("error")
        except (ValueError, AttributeError):
            log.warning("an export says: %s", line.decode(errors="replace").rstrip())
            return
        if error is None:
            self.episodes, self.of = told["episodes"], told["of"]
            return
        log.warning("an export failed: %s", told["message"])
        self.message = (
            told["message"] if error in ERRORS else INCOMPLETE_MESSAGE if error == "RecordingDamaged" else BROKEN
        )
        self._error = ERRORS.get(error, NotReady)(self.message)


class Exports:
    """Makes downloads, a few at once. Progress is known to this process only, and of the newest few hundred."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._newest: dict[str, ExportDownload] = {}

    def progress(self, ticket: str) -> ExportDownload:
        """How far the newest download by this ticket is."""
        return self._newest.get(ticket) or ExportDownload("", "unknown")

    async def open(self, ticket: str, wanted: ExportSelection, whose: str) -> ExportDownload:
        """Begin a download; close it.

        Raises:
            TooManyExports: this person has one under way, or the server makes as many as it can.
            ArcadeError: why it can't be made.
        """
        making = [one for one in self._newest.values() if one.state == "making"]
        if any(one.user_id == whose for one in making):
            raise TooManyExports("A download of yours is being made already: let it come to its end, or cancel it.")
        if len(making) >= MAX_CONCURRENT_EXPORTS:
            raise TooManyExports("Others are downloading just now; try again in a few minutes.")
        download = ExportDownload(whose)
        self._newest.pop(ticket, None)
        self._newest[ticket] = download
        for key in list(self._newest)[:-MAX_REMEMBERED_DOWNLOADS]:
            del self._newest[key]
        try:
            await download.start(self._settings, wanted)
        except BaseException:
            download.close()
            raise
        return download

    async def stop(self) -> None:
        """End what is being made."""
        await asyncio.gather(*(one.close() for one in self._newest.values()))
