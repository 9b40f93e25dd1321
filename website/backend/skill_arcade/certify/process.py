"""The certifier process: it re-runs each finished episode at idle priority."""

import asyncio
import logging
import signal
from contextlib import AsyncExitStack, closing
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.certify.pool import Workers
from skill_arcade.certify.rerun import Verdict
from skill_arcade.certify.worker import lower_priority
from skill_arcade.settings import CHILD_POOL_SIZE, Settings
from skill_arcade.storage.database.certificates import NewCertificate, add_certificate, list_uncertified
from skill_arcade.storage.database.engine import open_engine, transaction
from skill_arcade.storage.database.permanence import is_permanent
from skill_arcade.storage.database.tables import CertificateResult
from skill_arcade.telemetry import set_up_logging

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""Interval at which the certifier polls the database for finished episodes."""
RECHECK_POLLS = 60
"""Number of polls without work after which the worker process is stopped. Starting it is as slow as a long re-run."""
MAX_BATCH_EPISODES = 20
"""Maximum number of episodes that one query returns."""


def run_certifier(settings: Settings) -> None:
    """Run the certifier process. On SIGTERM it finishes the current episode and exits."""
    set_up_logging(settings.log_format, settings.log_level)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lower_priority()
    asyncio.run(certify(settings))


async def certify(settings: Settings) -> None:
    """Certify finished episodes until SIGTERM, polling for new ones."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    idle_polls, skipped = 0, set[UUID]()
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(open_engine(settings, CHILD_POOL_SIZE))
        workers = stack.enter_context(closing(Workers(settings, 1, idle=True)))
        while not stopping.is_set():
            try:
                async with transaction(engine) as connection:
                    episodes = await list_uncertified(connection, MAX_BATCH_EPISODES, skipped)
                if episodes:
                    idle_polls = 0
                    await _certify_batch(workers, engine, episodes, stopping, skipped)
                    continue
            except Exception as error:  # noqa: BLE001  (the episodes stay in the queue until it works again)
                log.warning("certification interrupted, retrying error=%s: %s", type(error).__name__, error)
            idle_polls += 1
            if idle_polls == RECHECK_POLLS:
                await asyncio.to_thread(workers.close)
            stop_task = asyncio.create_task(stopping.wait())
            await asyncio.wait({stop_task}, timeout=POLL_SECONDS)
            stop_task.cancel()


async def _certify_batch(
    workers: Workers, engine: AsyncEngine, episodes: list[UUID], stopping: asyncio.Event, skipped: set[UUID]
) -> None:
    """Certify episodes one by one and store each verdict immediately.

    An episode whose verdict the database rejects is added to `skipped`, until this process starts again.
    """
    loop = asyncio.get_running_loop()

    def certify_all() -> None:
        for episode, verdict in workers.verify(episodes):
            try:
                asyncio.run_coroutine_threadsafe(store_verdict(engine, episode, verdict), loop).result()
            except Exception as error:
                if not is_permanent(error):
                    raise
                log.error("cannot store verdict, skipping episode=%s error=%s", episode, error)
                skipped.add(episode)
            if stopping.is_set():
                return

    await asyncio.to_thread(certify_all)


async def store_verdict(engine: AsyncEngine, episode: UUID, verdict: Verdict) -> None:
    """Store a verdict as a certificate, and log it unless the episode is certified."""
    if verdict.result is not CertificateResult.certified:
        log.warning("certification failed episode=%s result=%s: %s", episode, verdict.result, verdict.reason)
    certificate = NewCertificate(
        episode, verdict.result, verdict.step, verdict.reason, verdict.n_steps, verdict.seconds, verdict.versions
    )
    async with transaction(engine) as connection:
        await add_certificate(connection, certificate)
