"""Charts for researchers: few queries at a time, and measures of new episodes in the background."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import NotReady, RecordingDamaged
from skill_arcade.research.answers import Answer, Counts, answer_chart
from skill_arcade.research.selection import Selection
from skill_arcade.storage.database.dataset_versions import NewVersion, save_version
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.episode_measures import (
    BATCH_SIZE,
    count_unmeasured,
    find_newest_measure,
    list_unmeasured,
    measure_episodes,
)
from skill_arcade.storage.objects import ObjectStore
from skill_arcade.web.request_transaction import request_transaction

log = logging.getLogger(__name__)
MAX_QUERIES = 2
"""Charts that are computed at a time. Players' requests have the other connections of the pool."""
BATCH_PAUSE_SECONDS = 0.05
"""Pause between batches of measures, so that they do not delay the uploads of running games."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How many ended episodes charts do not have yet, and when the newest measure was computed."""

    unmeasured: int
    newest: datetime | None


class ResearchService:
    """Computes charts, and the measures that they read."""

    def __init__(self, engine: AsyncEngine, objects: ObjectStore) -> None:
        self._engine, self._objects = engine, objects
        self._queries = asyncio.Semaphore(MAX_QUERIES)
        self._counts = Counts()
        self._measuring: asyncio.Task[None] | None = None

    async def answer(self, chart: str, selection: Selection) -> Answer:
        """Compute a chart. Raises InvalidRequest, NotReady."""
        async with self._queries, request_transaction(self._engine) as connection:
            return await answer_chart(connection, chart, selection, self._counts)

    async def save_dataset(self, new: NewVersion) -> Row[Any]:
        """Save a version of a dataset, which reads all steps of its episodes. Raises InvalidRequest, NotReady."""
        async with self._queries, request_transaction(self._engine) as connection:
            return await save_version(connection, new)

    async def refresh(self) -> Freshness:
        """Return how fresh the measures are, and start to compute the missing ones."""
        async with request_transaction(self._engine) as connection:
            unmeasured = await count_unmeasured(connection)
            newest = await find_newest_measure(connection)
        if unmeasured and (self._measuring is None or self._measuring.done()):
            self._measuring = asyncio.create_task(self._measure(), name="measure episodes")
        return Freshness(unmeasured, newest)

    async def stop(self) -> None:
        """Stop computing measures. A batch that is not complete is rolled back."""
        if self._measuring is not None:
            self._measuring.cancel()
            await asyncio.gather(self._measuring, return_exceptions=True)

    async def _measure(self) -> None:
        n_measured = 0
        try:
            while True:
                async with transaction(self._engine) as connection:
                    ids = await list_unmeasured(connection, BATCH_SIZE)
                    await measure_episodes(connection, self._objects, ids)
                n_measured += len(ids)
                if len(ids) < BATCH_SIZE:
                    break
                await asyncio.sleep(BATCH_PAUSE_SECONDS)
        except (NotReady, RecordingDamaged, DBAPIError) as error:
            log.warning("cannot measure episodes, the next request retries: %s", error)
        log.info("measured episodes n=%d", n_measured)
