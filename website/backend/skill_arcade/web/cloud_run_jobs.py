"""Starts jobs of Cloud Run, which do what would take memory and CPU from the games of a server."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol

from skill_arcade.errors import NotReady

log = logging.getLogger(__name__)

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
ENDPOINT = "https://run.googleapis.com"
MIN_START_INTERVAL_SECONDS = 60.0
"""Interval at which a server starts the job that certifies, however many players wait."""


class JobStarter(Protocol):
    """Starts a job."""

    async def start(self) -> None:
        """Start the job without waiting for it. Raises NotReady."""


class CloudRunJob:
    """A job of Cloud Run.

    Args:
        name: projects/P/locations/L/jobs/J
        emulator: URL of an emulator of the Cloud Run API, or None.
    """

    def __init__(self, name: str, emulator: str | None) -> None:
        self._name, self._emulator = name, emulator

    async def start(self) -> None:
        """Start an execution."""
        await asyncio.to_thread(self._start)

    def _start(self) -> None:
        import google.auth  # noqa: PLC0415  takes a tenth of a second, and only servers in the cloud need it
        import requests  # noqa: PLC0415
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
        from google.auth.transport.requests import AuthorizedSession  # noqa: PLC0415

        emulator = self._emulator
        try:
            session = requests.Session() if emulator else AuthorizedSession(google.auth.default(scopes=[SCOPE])[0])
            with session:
                address = f"{emulator or ENDPOINT}/v2/{self._name}:run"
                session.post(address, json={}, timeout=15).raise_for_status()
        except (requests.RequestException, GoogleAuthError) as error:
            log.error("cannot start job job=%s error=%s", self._name, error)
            raise NotReady(f"The job {self._name} cannot be started at the moment.") from error


class CertifyJob:
    """Starts the job that certifies while a player waits for a place on a board, instead of at its next schedule."""

    def __init__(self, starter: JobStarter, now: Callable[[], float] = time.monotonic) -> None:
        self._starter, self._now = starter, now
        self._next_start = float("-inf")
        self._starting: asyncio.Task[None] | None = None

    def request(self) -> None:
        """Start the job in the background, unless this server has just done so."""
        if self._now() < self._next_start:
            return
        self._next_start = self._now() + MIN_START_INTERVAL_SECONDS
        self._starting = asyncio.create_task(self._start())

    async def stop(self) -> None:
        """Wait until a start in progress has ended."""
        if self._starting is not None:
            await self._starting

    async def _start(self) -> None:
        try:
            await self._starter.start()
        except NotReady:
            log.warning("the episodes wait for the schedule of the job that certifies")
