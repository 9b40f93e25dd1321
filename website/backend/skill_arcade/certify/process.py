"""Certification beside the server: every finished episode is run again, at idle priority."""

import asyncio
import logging
import signal
from contextlib import AsyncExitStack, closing
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.certify.pool import Workers, lower_priority
from skill_arcade.certify.rerun import Verdict
from skill_arcade.errors import NotReady
from skill_arcade.settings import CHILD_POOL_SIZE, Settings
from skill_arcade.storage.database.certificates import NewCertificate, add_certificate, list_uncertified
from skill_arcade.storage.database.engine import open_engine, transaction
from skill_arcade.storage.database.tables import CertificateResult
from skill_arcade.telemetry import set_up_logging

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""Interval at which the certifier looks for finished episodes."""
RECHECK_POLLS = 60
"""Looks with nothing to do after which the worker process is let go: its start costs as much as a long re-run."""
BATCH = 20


def run_certifier(settings: Settings) -> None:
    """Main of the certifier process. SIGTERM: finish the episode at hand, then end."""
    set_up_logging(settings.log_format, settings.log_level)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lower_priority()
    asyncio.run(certify(settings))


async def certify(settings: Settings) -> None:
    """Certify what is finished, then wait for more, until SIGTERM."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    idle_looks = 0
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(open_engine(settings, CHILD_POOL_SIZE))
        workers = stack.enter_context(closing(Workers(settings, 1, idle=True)))
        while not stopping.is_set():
            try:
                async with transaction(engine) as connection:
                    episodes = await list_uncertified(connection, BATCH)
                if episodes:
                    idle_looks = 0
                    await _certify_batch(workers, engine, episodes, stopping)
                    continue
            except (NotReady, DBAPIError) as error:  # it comes back; what was not certified then is next
                log.warning("certification waits for the database: %s", error)
            idle_looks += 1
            if idle_looks == RECHECK_POLLS:
                await asyncio.to_thread(workers.close)
            waiting = asyncio.create_task(stopping.wait())
            await asyncio.wait({waiting}, timeout=POLL_SECONDS)
            waiting.cancel()


async def _certify_batch(workers: Workers, engine: AsyncEngine, episodes: list[UUID], stopping: asyncio.Event) -> None:
    """One episode after the other; each verdict is kept as soon as it is there."""
    loop = asyncio.get_running_loop()

    def work() -> None:
        for episode, verdict in workers.verify(episodes):
            asyncio.run_coroutine_threadsafe(store_verdict(engine, episode, verdict), loop).result()
            if stopping.is_set():
                return

    await asyncio.to_thread(work)


async def store_verdict(engine: AsyncEngine, episode: UUID, verdict: Verdict) -> None:
    """Write a verdict down, and say so when it is not the one hoped for."""
    if verdict.result is not CertificateResult.certified:
        log.warning("episode %s: %s: %s", episode, verdict.result, verdict.reason)
    certificate = NewCertificate(
        episode, verdict.result, verdict.step, verdict.reason, verdict.n_steps, verdict.seconds, verdict.versions
    )
    async with transaction(engine) as connection:
        await add_certificate(connection, certificate)
