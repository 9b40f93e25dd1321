"""Moves the transitions of old episodes to objects of the archive, as work that several processes share.

1. The rows of some episodes are read and made to an object, in memory.
2. The index gets the object and the places of its episodes, without `time_archived`: an erasure now finds both.
3. The object is stored, and read back.
4. For each episode, one transaction reads its transitions from what was read back, compares their digest with that of
   the rows, sets `time_archived`, and deletes the rows.

A process may be killed anywhere. Until step 4 the rows are in the database; another process finds the object by the
index and goes on with step 4, or begins again if the object was not stored.
"""

import asyncio
import io
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.errors import ArcadeError, ObjectMissing
from skill_arcade.storage.archive.index import (
    add_object,
    add_places,
    count_requested,
    delete_places,
    finish_place,
    list_places,
    lock_place,
    read_measures,
    request_archiving,
)
from skill_arcade.storage.archive.parquet import (
    STORED_NAMES,
    ObjectWriter,
    measure_footer,
    parse_csv,
    read_part,
)
from skill_arcade.storage.archive.removal import build_object, shrink_object, sweep
from skill_arcade.storage.archive.rows import check_digest, compute_digest, create_views, load_rows
from skill_arcade.storage.database.board_facts import count_before_shown
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.work import (
    MAX_RETRY_DELAY,
    Claim,
    Worker,
    WorkKind,
    finish_work,
    retry_later,
)
from skill_arcade.storage.objects import ObjectStore
from skill_arcade.storage.objects.verified import read_verified

log = logging.getLogger(__name__)
MAX_OBJECT_EPISODES = 100
"""Episodes that are claimed at once, and at most are in one object."""
MAX_OBJECT_STEPS = 1_000_000
"""Number of transitions from which no other episode is added to an object. It is built in memory."""
_DIGESTED = (*STORED_NAMES, "id")


@dataclass(slots=True)
class ArchiveProgress:
    """What a run has archived, and the number of episodes that still wait or are being archived."""

    n_episodes: int = 0
    n_steps: int = 0
    n_objects: int = 0
    n_bytes: int = 0
    n_waiting: int = 0


class _ClaimLost(Exception):
    """Another process does the work."""


class Archiver:
    """Archives episodes that it claims. Several may run at once."""

    def __init__(
        self, engine: AsyncEngine, objects: ObjectStore, report: Callable[[ArchiveProgress], None] | None = None
    ) -> None:
        """`report` is called after each object."""
        self._engine, self._objects, self._report = engine, objects, report
        self._queue = Worker(engine, [WorkKind.ARCHIVE])
        self.progress = ArchiveProgress()

    async def run(self, age: timedelta) -> ArchiveProgress:
        """Archive all episodes that ended longer ago than `age`, unless another process does, and return what."""
        await sweep(self._engine, self._objects)
        async with transaction(self._engine) as connection:
            await request_archiving(connection, age)
        while claims := await self._queue.claim(MAX_OBJECT_EPISODES):
            async with self._queue.renewing():
                await self._archive(claims)
        await self._count_waiting()
        return self.progress

    async def _archive(self, claims: Sequence[Claim]) -> None:
        """Archive the episodes of some claims: first those that another process has begun with."""
        by_episode = {UUID(claim.subject): claim for claim in claims}
        async with transaction(self._engine) as connection:
            places = await list_places(connection, by_episode)
        begun: dict[str, list[UUID]] = {}
        for place in places:
            if place.time_archived is None:
                begun.setdefault(place.object_key, []).append(place.episode_id)
            else:
                await self._finish_work(by_episode[place.episode_id])
                del by_episode[place.episode_id]
        for key, episodes in begun.items():
            sha256 = next(place.sha256 for place in places if place.object_key == key)
            claimed = {episode: by_episode.pop(episode) for episode in episodes}
            try:
                await self._finish(key, sha256, claimed)
            except ObjectMissing:
                async with transaction(self._engine) as connection:
                    await delete_places(connection, key, episodes)
                by_episode |= claimed
        writer, members = ObjectWriter(), dict[UUID, Claim]()
        for episode, claim in by_episode.items():
            if await self._add(writer, episode, claim):
                members[episode] = claim
            if writer.n_steps >= MAX_OBJECT_STEPS:
                await self._store(writer, members)
                writer, members = ObjectWriter(), {}
        if members:
            await self._store(writer, members)

    async def _add(self, writer: ObjectWriter, episode_id: UUID, claim: Claim) -> bool:
        """Add the rows of an episode to an object. Return False if it cannot be archived, or was erased."""
        async with transaction(self._engine, snapshot=True) as connection:
            n_steps = await connection.scalar(text("SELECT n_steps FROM episode WHERE id = :id"), {"id": episode_id})
            n_rows, sha256 = await compute_digest(connection, "transition", episode_id, _DIGESTED)
            data = b"" if n_steps is None else await _copy_rows(connection, episode_id)
        if n_steps is None:
            await self._finish_work(claim)
            return False
        if sha256 is None or n_rows != n_steps:
            log.error("cannot archive episode=%s: %d of %d transitions are stored", episode_id, n_rows, n_steps)
            await self._retry(claim, MAX_RETRY_DELAY)
            return False
        rows = await asyncio.to_thread(parse_csv, data)
        await asyncio.to_thread(writer.add, episode_id, rows, sha256)
        return True

    async def _store(self, writer: ObjectWriter, claims: dict[UUID, Claim]) -> None:
        """Store an object, and delete the rows that it has."""
        new, data = await build_object(writer)
        async with transaction(self._engine) as connection:
            # A process that was frozen in between may have claimed the same episodes before.
            taken = {place.episode_id for place in await list_places(connection, claims)}
            if not taken:
                await add_object(connection, new)
                await add_places(connection, new)
        if taken:
            for claim in claims.values():
                await self._retry(claim)
            return
        await self._objects.put(new.key, data)
        self.progress.n_objects += 1
        self.progress.n_bytes += len(data)
        await self._finish(new.key, new.sha256, claims)

    async def _finish(self, key: str, sha256: str, claims: dict[UUID, Claim]) -> None:
        """Delete the rows of claimed episodes that an object has. Raises ObjectMissing."""
        await self._objects.size(key)  # so that a missing object is not taken for a damaged one
        data = await read_verified(self._objects, key, sha256)
        for episode, claim in claims.items():
            await self._finish_episode(key, data, episode, claim)
        # Episodes that were erased or uploaded to meanwhile are removed from it.
        await shrink_object(self._engine, self._objects, key)
        await self._count_waiting()
        if self._report is not None:
            self._report(self.progress)

    async def _finish_episode(self, key: str, data: bytes, episode_id: UUID, claim: Claim) -> None:
        try:
            async with transaction(self._engine) as connection:
                n_steps = await _delete_rows(connection, key, data, episode_id)
                if not await finish_work(connection, claim):
                    raise _ClaimLost
        except _ClaimLost:
            return
        except (ArcadeError, DBAPIError) as error:
            log.warning("archiving failed, retrying episode=%s error=%s: %s", episode_id, type(error).__name__, error)
            await self._retry(claim)
            return
        if n_steps is None:
            log.info("episode has changed, archiving it later episode=%s", episode_id)
            await shrink_object(self._engine, self._objects, key, without={episode_id})
        elif n_steps:
            self.progress.n_episodes += 1
            self.progress.n_steps += n_steps

    async def _finish_work(self, claim: Claim) -> None:
        async with transaction(self._engine) as connection:
            await finish_work(connection, claim)

    async def _retry(self, claim: Claim, delay: timedelta | None = None) -> None:
        async with transaction(self._engine) as connection:
            await retry_later(connection, claim, delay)

    async def _count_waiting(self) -> None:
        async with transaction(self._engine) as connection:
            self.progress.n_waiting = await count_requested(connection)


async def _delete_rows(connection: AsyncConnection, key: str, data: bytes, episode_id: UUID) -> int | None:
    """Delete the rows of an episode, after comparing them with what was read back. Return their number.

    Returns 0 if the episode was erased, and None if its rows have changed since they were read.

    Raises:
        _ClaimLost: its place is in another object by now.
        RecordingDamaged: what was read back is something else.
    """
    place = await lock_place(connection, episode_id)
    if place is None:
        return 0
    if place.object_key != key or place.time_archived is not None:
        raise _ClaimLost
    _, sha256 = await compute_digest(connection, "public.transition", episode_id, _DIGESTED)
    if sha256 != place.rows_sha256:
        return None
    measures = await read_measures(connection, episode_id)
    n_before_shown = await count_before_shown(connection, episode_id)
    # As a reader reads it: the part of this episode and the description of the file.
    footer = data[-measure_footer(data) :]
    part = data[place.first_byte : place.first_byte + place.n_bytes]
    arguments = (len(data), place.first_byte, part, footer, place.row_group)
    await create_views(connection)
    await load_rows(connection, await asyncio.to_thread(read_part, *arguments))
    await check_digest(connection, episode_id, place.rows_sha256, STORED_NAMES)
    await finish_place(connection, episode_id, {**measures, "n_before_shown": n_before_shown})
    return int(place.n_steps)


async def _copy_rows(connection: AsyncConnection, episode_id: UUID) -> bytes:
    """Return the transitions of an episode as CSV."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    await driver.execute("SET LOCAL TIME ZONE 'UTC'")
    sink = io.BytesIO()
    query = f"SELECT {', '.join(STORED_NAMES)} FROM transition WHERE episode_id = $1 ORDER BY step"
    await driver.copy_from_query(query, episode_id, output=sink, format="csv")
    return sink.getvalue()
