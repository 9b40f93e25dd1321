"""The certifier process: it re-runs each finished episode at idle priority."""

import asyncio
import logging
import math
import signal
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.boards.judge import freeze_ended_seasons, judge_queue
from skill_arcade.certify.deaths import Death
from skill_arcade.certify.pool import Workers
from skill_arcade.certify.rerun import Verdict
from skill_arcade.certify.worker_jobs import lower_priority
from skill_arcade.settings import CHILD_POOL_SIZE, Settings
from skill_arcade.storage.database.certificates import (
    NewCertificate,
    add_certificate,
    find_uncertified,
    replace_deaths,
)
from skill_arcade.storage.database.engine import open_engine, transaction
from skill_arcade.storage.database.permanence import is_permanent
from skill_arcade.storage.database.tables import CertificateResult
from skill_arcade.storage.database.work import (
    MAX_RETRY_DELAY,
    Claim,
    Worker,
    WorkKind,
    delete_work,
    finish_work,
    poll_pause,
    request_missing,
    retry_later,
)
from skill_arcade.telemetry import set_up_logging

log = logging.getLogger(__name__)

SWEEP_SECONDS = 60.0
"""Time without work after which seasons that have ended are frozen, and unrequested work is looked for."""
RECHECK_POLLS = 22
"""Number of polls without work, about a minute, after which the worker process is stopped.

Starting it is as slow as a long re-run.
"""
MAX_BATCH_EPISODES = 4
"""Maximum number of episodes that a certifier claims at once: the others are left to other certifiers."""


def run_certifier(settings: Settings) -> None:
    """Run the certifier process. On SIGTERM it finishes the current episode and exits."""
    set_up_logging(settings.log_format, settings.log_level)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lower_priority()
    asyncio.run(certify(settings))


async def certify(settings: Settings, *, until_done: bool = False) -> int:
    """Certify finished episodes until SIGTERM, polling for new ones, or with `until_done` until none is left.

    Returns the number of episodes. Several certifiers share the work: each episode is claimed by one of them.
    """
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    idle_polls, n_episodes, quiet_since = 0, 0, -math.inf
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(open_engine(settings, CHILD_POOL_SIZE))
        workers = stack.enter_context(closing(Workers(settings, 1, idle=True)))
        queue = Worker(engine, [WorkKind.CERTIFY])
        while not stopping.is_set():
            try:
                if is_sweep := time.monotonic() - quiet_since >= SWEEP_SECONDS:
                    quiet_since = time.monotonic()
                    async with transaction(engine) as connection:
                        await request_missing(connection)
                n_done = await certify_some(queue, workers, engine, stopping)
                await keep_boards(engine, is_idle=not n_done and is_sweep)
                if n_done:
                    idle_polls, n_episodes, quiet_since = 0, n_episodes + n_done, time.monotonic()
                    continue
                if until_done:
                    break
            except Exception as error:  # noqa: BLE001  (the episodes stay in the queue until it works again)
                log.warning("certification interrupted, retrying error=%s: %s", type(error).__name__, error)
            idle_polls += 1
            if idle_polls == RECHECK_POLLS:
                await asyncio.to_thread(workers.close)
            stop_task = asyncio.create_task(stopping.wait())
            await asyncio.wait({stop_task}, timeout=poll_pause(idle_polls))
            stop_task.cancel()
    return n_episodes


async def certify_some(queue: Worker, workers: Workers, engine: AsyncEngine, stopping: asyncio.Event) -> int:
    """Claim some episodes, certify them, and return their number."""
    claims = {UUID(claim.subject): claim for claim in await queue.claim(MAX_BATCH_EPISODES)}
    if claims:
        async with queue.renewing():
            await _certify_batch(workers, engine, claims, stopping)
    return len(claims)


async def _certify_batch(
    workers: Workers, engine: AsyncEngine, claims: Mapping[UUID, Claim], stopping: asyncio.Event
) -> None:
    """Certify episodes one by one and store each verdict immediately.

    An episode whose verdict the database rejects is tried again after the longest delay.
    """
    loop = asyncio.get_running_loop()
    async with transaction(engine) as connection:
        times = await find_uncertified(connection, claims)
        for episode in claims.keys() - times.keys():  # erased, certified by hand, or taken back and still running
            await finish_work(connection, claims[episode])

    async def store(episode: UUID, verdict: Verdict) -> None:
        try:
            await store_verdict(engine, episode, verdict, times[episode], claims[episode])
        except Exception as error:
            if not is_permanent(error):
                raise
            log.error("cannot store verdict, trying again later episode=%s error=%s", episode, error)
            async with transaction(engine) as connection:
                await retry_later(connection, claims[episode], MAX_RETRY_DELAY)

    def certify_all() -> None:
        for episode, verdict in workers.verify(sorted(times)):
            asyncio.run_coroutine_threadsafe(store(episode, verdict), loop).result()
            if stopping.is_set():
                return

    await asyncio.to_thread(certify_all)


async def store_verdict(
    engine: AsyncEngine,
    episode: UUID,
    verdict: Verdict,
    time_updated: datetime | None = None,
    claim: Claim | None = None,
) -> None:
    """Store a verdict as a certificate, and log it unless the episode is certified.

    It is dropped if more of the episode was uploaded after `time_updated` (None does not compare it), or if `claim`
    was lost to another certifier.
    """
    if verdict.result is not CertificateResult.certified:
        log.warning("certification failed episode=%s result=%s: %s", episode, verdict.result, verdict.reason)
    certificate = NewCertificate(
        episode, verdict.result, verdict.step, verdict.reason, verdict.n_steps, verdict.seconds, verdict.versions
    )
    try:
        async with transaction(engine) as connection:
            is_added = await add_certificate(connection, certificate, time_updated)
            if is_added and verdict.deaths is not None:
                await replace_deaths(connection, episode, [_describe_death(death) for death in verdict.deaths])
            await _end_claim(connection, episode, claim, is_done=is_added)
    except _ClaimLost:
        log.warning("verdict dropped, because another certifier has claimed the episode episode=%s", episode)
        return
    if not is_added:
        log.info("verdict dropped, because the episode changed during the re-run episode=%s", episode)
    await keep_boards(engine, is_idle=False)


def _describe_death(death: Death) -> dict[str, Any]:
    """Return the columns of a death."""
    place = death.position
    return {
        **{"frame": death.frame, "x": place.x, "y": place.y, "screen": place.screen},
        **{"columns": place.columns, "rows": place.rows},
    }


class _ClaimLost(Exception):
    """Rolls a transaction back whose work another process has claimed."""


async def _end_claim(connection: AsyncConnection, episode: UUID, claim: Claim | None, *, is_done: bool) -> None:
    if claim is None:
        if is_done:
            await delete_work(connection, WorkKind.CERTIFY, [str(episode)])
    elif not is_done:
        await retry_later(connection, claim)
    elif not await finish_work(connection, claim):
        raise _ClaimLost


async def keep_boards(engine: AsyncEngine, *, is_idle: bool) -> None:
    """Judge the episodes that wait for leaderboards, and freeze seasons that have ended when nothing else waits."""
    await judge_queue(engine)
    if is_idle:
        await freeze_ended_seasons(engine, datetime.now(UTC))
