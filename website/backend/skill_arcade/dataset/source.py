"""Reads the data of episodes: rows from the database, bytes from the object store."""

import hashlib
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError

from skill_arcade.dataset.loop import LoopThread
from skill_arcade.errors import InvalidRequest, ObjectMissing, RecordingDamaged
from skill_arcade.settings import CHILD_POOL_SIZE, Settings
from skill_arcade.storage.database.bulk_copy import copy_rows
from skill_arcade.storage.database.engine import check_schema, open_engine, transaction
from skill_arcade.storage.database.queries import (
    EpisodeListItem,
    episode_events,
    episode_segments,
    episode_summary,
    episode_transitions,
    find_episode,
    get_episode,
    list_episodes,
)
from skill_arcade.storage.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of an episode in one snapshot."""

    episode: Row[Any]
    transitions: Sequence[Row[Any]]
    segments: Sequence[Row[Any]]
    events: Sequence[Row[Any]]


class Source:
    """Synchronous access to the database and the object store."""

    def __init__(self, settings: Settings, objects: ObjectStore) -> None:
        """Connect to the database, starting the embedded Postgres if it is selected. Raises SettingsError, NotReady."""
        self._loop = LoopThread()
        self._stack = AsyncExitStack()
        self._objects = objects
        try:
            self._loop.run(self._open(settings))
        except BaseException:
            self._loop.close()
            raise

    def list_episodes(self, **filters: Any) -> list[EpisodeListItem]:
        """Return a page of episodes, newest first. `filters` are the arguments of `queries.list_episodes`.

        Raises:
            InvalidRequest: the database rejects `where`.
        """

        async def read() -> list[EpisodeListItem]:
            async with transaction(self._engine) as connection:
                # `where` is arbitrary SQL, so the transaction is read-only.
                await connection.execute(text("SET TRANSACTION READ ONLY"))
                try:
                    return await list_episodes(connection, **filters)
                except DBAPIError as error:
                    if filters.get("where") is None:
                        raise
                    reason = f"The database rejects the condition {filters['where']!r}: {error.orig}"
                    raise InvalidRequest(reason) from error

        return self._loop.run(read())

    def read_summary(self, episode_id: UUID) -> dict[str, Any]:
        """Return the episode's row of the view `episode_summary`."""

        async def read() -> dict[str, Any]:
            async with transaction(self._engine) as connection:
                return await episode_summary(connection, episode_id)

        return self._loop.run(read())

    def find_episode(self, prefix: str) -> EpisodeListItem:
        """Return the episode whose id starts with `prefix`. Raises NotFound, InvalidRequest."""

        async def read() -> EpisodeListItem:
            async with transaction(self._engine) as connection:
                return await find_episode(connection, prefix)

        return self._loop.run(read())

    def read_rows(self, episode_id: UUID) -> Rows:
        """Return all rows of an episode. Raises NotFound."""

        async def read() -> Rows:
            # A segment may be stored between two queries, so all queries use one snapshot.
            async with transaction(self._engine, snapshot=True) as connection:
                return Rows(
                    await get_episode(connection, episode_id),
                    await episode_transitions(connection, episode_id),
                    await episode_segments(connection, episode_id),
                    await episode_events(connection, episode_id),
                )

        return self._loop.run(read())

    def read_episode(self, episode_id: UUID) -> Row[Any]:
        """Return the episode's own row. Raises NotFound."""

        async def read() -> Row[Any]:
            async with transaction(self._engine) as connection:
                return await get_episode(connection, episode_id)

        return self._loop.run(read())

    def copy_rows(self, name: str, episodes: Sequence[UUID], path: Path) -> None:
        """Write the rows of these episodes in a table or view as CSV; see `bulk_copy`."""

        async def copy() -> None:
            async with transaction(self._engine) as connection:
                await copy_rows(connection, name, episodes, path)

        self._loop.run(copy())

    def read_object(self, key: str, sha256: str) -> bytes:
        """Return the bytes of an object after verifying its checksum.

        Raises:
            RecordingDamaged: the object is missing, or its checksum differs.
        """
        try:
            data = self._loop.run(self._objects.get(key))
        except ObjectMissing as error:
            raise RecordingDamaged(f"Object {key} is missing, although the database lists it.") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise RecordingDamaged(f"Object {key} has other bytes than were uploaded: its SHA-256 differs.")
        return data

    def close(self) -> None:
        """Close the connections to the database and the object store."""
        if not self._loop.closed:
            self._loop.run(self._stack.aclose())
            self._loop.close()

    async def _open(self, settings: Settings) -> None:
        self._stack.push_async_callback(self._objects.close)
        try:
            self._engine = await self._stack.enter_async_context(open_engine(settings, CHILD_POOL_SIZE))
            async with transaction(self._engine) as connection:
                await check_schema(connection)
        except BaseException:
            await self._stack.aclose()
            raise
