"""Exports that a job makes, so that a game server does none of the work.

A request is a row of `work`, which a job claims. What it says and everything about it are objects below
`exports/USER/JOB/`, which the bucket deletes after two days: `request.json`, then `progress-ATTEMPT-N.json` every few
seconds, and at the end the ZIP and `result.json`.
"""

import asyncio
import json
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import count
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import ArcadeError, NotFound, NotReady, ObjectExists, ObjectMissing, TooManyExports
from skill_arcade.export.selection import ExportSelection
from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import open_engine, transaction
from skill_arcade.storage.database.work import (
    LEASE,
    Claim,
    Worker,
    WorkKind,
    delete_work,
    finish_work,
    has_work,
    request_work,
)
from skill_arcade.storage.objects import ObjectStore, open_objects
from skill_arcade.web.cloud_run_jobs import JobStarter
from skill_arcade.web.exports import FAILED_MESSAGE, ExportDownload, State
from skill_arcade.web.request_transaction import request_transaction

log = logging.getLogger(__name__)

EXPORTS = "exports/"
REQUEST, RESULT, ARCHIVE, PROGRESS = "request.json", "result.json", "export.zip", "progress-"
EXPORT_JOB_SECONDS = 24 * 3600
"""Time for which a download that a job makes can be fetched."""
PROGRESS_SECONDS = 5.0
"""Interval at which a job stores its progress, also if there is none."""
MAX_SILENT_SECONDS = 120.0
"""Time without stored progress after which an export counts as failed, until another job makes it."""
MAX_ATTEMPTS = 3
"""Jobs that may end while they make an export, before it has failed."""
POLL_SECONDS = 5.0
"""Interval at which a job without work looks for exports of a job that has died."""
MAX_START_SECONDS = 600.0
"""Time that a job may take to start."""
MAX_CONCURRENT_DOWNLOADS = 4
"""Prepared downloads that one server sends at once."""
NOT_STARTED_MESSAGE = "The export was not started. Request it again."


@dataclass(frozen=True, slots=True)
class JobId:
    """One export: whose it is, and its random id."""

    user_id: str
    job: str

    @classmethod
    def parse(cls, text: str) -> "JobId | None":
        """Read the text of an id, or return None if it is only the id of a user."""
        user_id, slash, job = text.partition("/")
        return cls(user_id, job) if slash else None

    def __str__(self) -> str:
        return f"{self.user_id}/{self.job}"

    def key(self, name: str) -> str:
        """Return the key of one of its objects."""
        return f"{EXPORTS}{self}/{name}"


@dataclass(frozen=True, slots=True)
class JobProgress:
    """Progress of an export. `time` is when it was stored, in seconds since 1970."""

    state: State
    time: float
    episodes: int = 0
    of: int = 0
    bytes: int = 0
    message: str = ""


class ExportJobs:
    """The server's side: requests exports, reads their progress and opens their files."""

    def __init__(
        self, objects: ObjectStore, engine: AsyncEngine, starter: JobStarter, now: Callable[[], float] = time.time
    ) -> None:
        self._objects, self._engine, self._starter, self._now = objects, engine, starter, now
        self._n_sending = 0

    async def request(self, user_id: str, selection: ExportSelection) -> JobId:
        """Store a request and start the job.

        Raises:
            TooManyExports: an export of this user is being made.
            NotReady: the job cannot be started.
        """
        for earlier in {_job_of(key) async for key in self._objects.list(f"{EXPORTS}{user_id}/")}:
            if (await self.progress(earlier)).state in ("waiting", "making"):
                raise TooManyExports("Your previous download is still being prepared. Wait until it is finished.")
        job = JobId(user_id, secrets.token_hex(8))
        request = {"selection": selection.model_dump(mode="json"), "time": self._now()}
        await self._objects.put(job.key(REQUEST), json.dumps(request).encode())
        try:
            async with request_transaction(self._engine) as connection:
                await request_work(connection, WorkKind.EXPORT, str(job))
        except BaseException:
            await self._objects.delete(job.key(REQUEST))
            raise
        try:
            await self._starter.start()
        except NotReady as error:
            await self._objects.delete(job.key(REQUEST))
            async with request_transaction(self._engine) as connection:
                await delete_work(connection, WorkKind.EXPORT, [str(job)])
            raise NotReady("The download cannot be prepared at the moment. Try again in a few minutes.") from error
        return job

    async def progress(self, job: JobId) -> JobProgress:
        """Return the progress of an export; `unknown` if it does not exist any more."""
        names = [key.rpartition("/")[2] async for key in self._objects.list(job.key(""))]
        newest = max((name for name in names if name.startswith(PROGRESS)), default=None)
        name = next((name for name in (RESULT, newest, REQUEST) if name in names), None)
        if name is None:
            return JobProgress("unknown", self._now())
        try:
            stored = json.loads(await self._objects.get(job.key(name)))
        except ObjectMissing:  # the job has just replaced it by its result
            return JobProgress("making", self._now())
        silent_seconds = self._now() - float(stored["time"])
        if name == REQUEST:
            if silent_seconds > MAX_START_SECONDS:
                return JobProgress("failed", stored["time"], message=NOT_STARTED_MESSAGE)
            return JobProgress("waiting", stored["time"])
        progress = JobProgress(**stored["progress"], time=stored["time"])
        if progress.state == "making" and silent_seconds > MAX_SILENT_SECONDS:
            return replace(progress, state="failed", message=FAILED_MESSAGE)
        return progress

    async def open(self, job: JobId) -> tuple[int, AsyncIterator[bytes]]:
        """Return the size of a finished ZIP, and its bytes in chunks.

        Raises:
            NotFound: it has been deleted.
            NotReady: it is not finished.
            TooManyExports: this server sends as many as it may.
        """
        progress = await self.progress(job)
        if progress.state == "unknown":
            raise NotFound("This download has been deleted. Request a new one.")
        if progress.state != "ready":
            raise NotReady(progress.message or "The download is still being prepared. Wait until it is ready.")
        if self._n_sending >= MAX_CONCURRENT_DOWNLOADS:
            raise TooManyExports("The server is busy with other downloads. Try again in a few minutes.")
        return await self._objects.size(job.key(ARCHIVE)), self._send(job)

    async def drop(self, job: JobId) -> None:
        """Delete a prepared export."""
        for key in [key async for key in self._objects.list(job.key(""))]:
            await self._objects.delete(key)

    async def _send(self, job: JobId) -> AsyncIterator[bytes]:
        self._n_sending += 1
        try:
            async for chunk in self._objects.read_chunks(job.key(ARCHIVE)):
                yield chunk
        finally:
            self._n_sending -= 1


async def make_requested(settings: Settings) -> int:
    """Make the requested exports that no other job makes, one after the other; return their number.

    If others are being made, wait until the claim of a job that has died would have ended: this may be its retry.
    """
    objects = open_objects(settings, workers=2)
    n_made = 0
    try:
        async with open_engine(settings) as engine:
            worker = Worker(engine, [WorkKind.EXPORT])
            async with worker.renewing():
                async for claim in _claim_exports(engine, worker):
                    n_made += await _make_claimed(settings, objects, engine, claim)
    finally:
        await objects.close()
    return n_made


async def _claim_exports(engine: AsyncEngine, worker: Worker) -> AsyncIterator[Claim]:
    """Yield claimed exports, until there are none or others have kept theirs for the time of a lease."""
    waiting_since = time.monotonic()
    while time.monotonic() < waiting_since + LEASE.total_seconds() + POLL_SECONDS:
        if claims := await worker.claim():
            yield claims[0]
            waiting_since = time.monotonic()
            continue
        async with transaction(engine) as connection:
            if not await has_work(connection, WorkKind.EXPORT):
                return
        await asyncio.sleep(POLL_SECONDS)


async def _make_claimed(settings: Settings, objects: ObjectStore, engine: AsyncEngine, claim: Claim) -> bool:
    """Make an export unless it is made or deleted. Return whether it was made."""
    job = JobId.parse(claim.subject)
    assert job is not None
    names = {key.rpartition("/")[2] async for key in objects.list(job.key(""))}
    is_wanted = REQUEST in names and RESULT not in names
    if is_wanted:
        if ARCHIVE in names:  # the job before has ended before it could store the result
            await objects.delete(job.key(ARCHIVE))
        result = await _make(settings, objects, job, claim.attempts)
        with suppress(ObjectExists):  # another job has made it, because this one was too slow to keep its claim
            await objects.put(job.key(RESULT), json.dumps(_describe(result)).encode())
        async for key in objects.list(job.key(PROGRESS)):
            await objects.delete(key)
    async with transaction(engine) as connection:
        await finish_work(connection, claim)
    return is_wanted


async def _make(settings: Settings, objects: ObjectStore, job: JobId, attempt: int) -> JobProgress:
    """Make one export and store its ZIP. Return the result, whatever fails."""
    if attempt > MAX_ATTEMPTS:
        log.error("every job that made the export has ended job=%s attempts=%d", job.job, attempt - 1)
        return JobProgress("failed", time.time(), message=FAILED_MESSAGE)
    log.info("making an export job=%s attempt=%d", job.job, attempt)
    selection = ExportSelection.model_validate(json.loads(await objects.get(job.key(REQUEST)))["selection"])
    download = ExportDownload(job.user_id)
    reporter = asyncio.create_task(_report(objects, job, download, attempt))
    try:
        result = await _write_archive(settings, objects, job, download, selection)
    finally:
        await download.close()
        reporter.cancel()
        with suppress(asyncio.CancelledError):
            await reporter
    log.info("export made job=%s state=%s bytes=%d message=%s", job.job, result.state, result.bytes, result.message)
    return result


async def _write_archive(
    settings: Settings, objects: ObjectStore, job: JobId, download: ExportDownload, selection: ExportSelection
) -> JobProgress:
    """Write the ZIP to the object store, and return the result."""
    try:
        await download.start(settings, selection)
        with objects.open_writer(job.key(ARCHIVE)) as archive:
            async for chunk in download.chunks():
                await asyncio.to_thread(archive.write, chunk)
            if download.state != "done":
                raise NotReady(download.message)  # leaves no incomplete object
    except ArcadeError as error:
        return replace(_progress_of(download), state="failed", message=str(error))
    return replace(_progress_of(download), state="ready")


async def _report(objects: ObjectStore, job: JobId, download: ExportDownload, attempt: int) -> None:
    """Store the progress regularly, until cancelled. Without it the export counts as failed."""
    for number in count():
        try:
            progress = json.dumps(_describe(replace(_progress_of(download), state="making"))).encode()
            await objects.put(job.key(f"{PROGRESS}{attempt:03d}-{number:06d}.json"), progress)
        except ArcadeError as error:
            log.warning("cannot store the progress, retrying: %s", error)
        await asyncio.sleep(PROGRESS_SECONDS)


def _progress_of(download: ExportDownload) -> JobProgress:
    return JobProgress(download.state, time.time(), download.episodes, download.of, download.bytes, download.message)


def _describe(progress: JobProgress) -> dict[str, Any]:
    fields = asdict(progress)
    return {"time": fields.pop("time"), "progress": fields}


def _job_of(key: str) -> JobId:
    user_id, job, _ = key.removeprefix(EXPORTS).split("/", 2)
    return JobId(user_id, job)
