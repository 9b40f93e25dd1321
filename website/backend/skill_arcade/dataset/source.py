"""Reads the data of episodes: rows from the database, bytes from the object store."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.dataset.loop import LoopThread
from skill_arcade.errors import InvalidRequest, RecordingDamaged
from skill_arcade.settings import CHILD_POOL_SIZE, Settings
from skill_arcade.storage.archive.rows import STEP_VIEWS, list_archive, show_archived
from skill_arcade.storage.database.branches import Line, read_line
from skill_arcade.storage.database.bulk_copy import copy_rows
from skill_arcade.storage.database.consents import allows
from skill_arcade.storage.database.engine import check_schema, open_engine, transaction
from skill_arcade.storage.database.episode_counts import count_without
from skill_arcade.storage.database.notes import list_notes
from skill_arcade.storage.database.queries import (
    EpisodeListItem,
    episode_events,
    episode_segments,
    episode_summaries,
    episode_summary,
    episode_transitions,
    find_episode,
    get_episode,
    list_episodes,
)
from skill_arcade.storage.database.researcher_login import set_researcher_role
from skill_arcade.storage.objects import ObjectStore
from skill_arcade.storage.objects.verified import read_verified

T = TypeVar("T")


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

    def run(self, work: Callable[[AsyncConnection], Awaitable[T]], *, writes: bool = False) -> T:
        """Return what `work` returns for a connection, in one snapshot, which is read-only unless it `writes`."""

        async def call() -> T:
            async with transaction(self._engine, snapshot=not writes) as connection:
                if not writes:
                    await connection.execute(text("SET TRANSACTION READ ONLY"))
                return await work(connection)

        return self._loop.run(call())

    def read_line(self, episode_id: UUID, step: int) -> Line:
        """Return the steps that lead to a frame of an episode. Raises NotFound if they were erased."""
        return self._read_steps(lambda connection: read_line(connection, self._objects, episode_id, step))

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

    def query(self, sql: str) -> tuple[list[str], list[dict[str, Any]]]:
        """Return the columns and the rows of a query in a read-only transaction.

        Raises:
            InvalidRequest: the database rejects the query.
        """

        async def read() -> tuple[list[str], list[dict[str, Any]]]:
            async with transaction(self._engine) as connection:
                await connection.execute(text("SET TRANSACTION READ ONLY"))
                try:
                    # The driver's own SQL: `text` would read bind parameters in it.
                    result = await connection.exec_driver_sql(sql)
                    return list(result.keys()), [dict(row) for row in result.mappings()]
                except DBAPIError as error:
                    raise InvalidRequest(f"The database rejects the query: {error.orig}") from error

        return self._loop.run(read())

    def count_without(self, scope: str, where: str) -> int:
        """Return the number of episodes that match a condition and may not be used for a scope."""

        async def read() -> int:
            async with transaction(self._engine) as connection:
                await connection.execute(text("SET TRANSACTION READ ONLY"))
                try:
                    return await count_without(connection, scope, where)
                except DBAPIError as error:
                    raise InvalidRequest(f"The database rejects the condition {where!r}: {error.orig}") from error

        return self._loop.run(read())

    def allows(self, episode_id: UUID, scope: str) -> bool:
        """Return whether an episode may be used for a scope of its consent."""

        async def read() -> bool:
            async with transaction(self._engine) as connection:
                return await allows(connection, episode_id, scope)

        return self._loop.run(read())

    def read_summary(self, episode_id: UUID) -> dict[str, Any]:
        """Return the episode's row of the view `episode_summary`."""

        async def read() -> dict[str, Any]:
            async with transaction(self._engine) as connection:
                return await episode_summary(connection, episode_id)

        return self._loop.run(read())

    def read_summaries(self, episode_ids: Sequence[UUID]) -> list[dict[str, Any]]:
        """Return rows of the view `episode_summary` in the order of the ids, with ids as text."""

        async def read() -> list[dict[str, Any]]:
            async with transaction(self._engine) as connection:
                return await episode_summaries(connection, episode_ids)

        return self._loop.run(read())

    def read_notes(self, episode_id: UUID) -> Sequence[Row[Any]]:
        """Return the notes on an episode, also the retracted ones."""

        async def read() -> Sequence[Row[Any]]:
            async with transaction(self._engine) as connection:
                return await list_notes(connection, episode_id)

        return self._loop.run(read())

    def find_episode(self, prefix: str) -> EpisodeListItem:
        """Return the episode whose id starts with `prefix`. Raises NotFound, InvalidRequest."""

        async def read() -> EpisodeListItem:
            async with transaction(self._engine) as connection:
                return await find_episode(connection, prefix)

        return self._loop.run(read())

    def read_rows(self, episode_id: UUID) -> Rows:
        """Return all rows of an episode. Raises NotFound."""

        async def read(connection: AsyncConnection) -> Rows:
            await show_archived(connection, self._objects, [episode_id])
            return Rows(
                await get_episode(connection, episode_id),
                await episode_transitions(connection, episode_id),
                await episode_segments(connection, episode_id),
                await episode_events(connection, episode_id),
            )

        return self._read_steps(read)

    def read_episode(self, episode_id: UUID) -> Row[Any]:
        """Return the episode's own row. Raises NotFound."""

        async def read() -> Row[Any]:
            async with transaction(self._engine) as connection:
                return await get_episode(connection, episode_id)

        return self._loop.run(read())

    def copy_rows(self, name: str, episodes: Sequence[UUID], path: Path, *, with_archived: bool = True) -> None:
        """Write the rows of these episodes in a table or view as CSV; see `bulk_copy`.

        Without `with_archived`, those of archived transitions are left out.
        """

        async def copy(connection: AsyncConnection) -> None:
            if with_archived and name in ("transition", *STEP_VIEWS):
                await show_archived(connection, self._objects, episodes, views=True)
            await copy_rows(connection, name, episodes, path)

        self._read_steps(copy)

    def list_archive(self, episodes: Sequence[UUID]) -> dict[str, str]:
        """Return the keys of the objects with archived transitions of these episodes, and the SHA-256 of each."""

        async def read() -> dict[str, str]:
            async with transaction(self._engine) as connection:
                return await list_archive(connection, episodes)

        return self._loop.run(read())

    def read_object(self, key: str, sha256: str) -> bytes:
        """Return the bytes of an object after verifying its checksum.

        Raises:
            RecordingDamaged: the object is missing, or its checksum differs.
        """
        return self._loop.run(read_verified(self._objects, key, sha256))

    def close(self) -> None:
        """Close the connections to the database and the object store."""
        if not self._loop.closed:
            self._loop.run(self._stack.aclose())
            self._loop.close()

    def _read_steps(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Return what `work` returns for a connection that may show archived steps, in one snapshot.

        A segment may be stored between two queries, and an erasure may replace an object with the archived steps of
        several players, which a snapshot does not see. Another snapshot then does.
        """

        async def call() -> T:
            async with transaction(self._engine, snapshot=True) as connection:
                return await work(connection)

        try:
            return self._loop.run(call())
        except RecordingDamaged:
            return self._loop.run(call())

    async def _open(self, settings: Settings) -> None:
        self._stack.push_async_callback(self._objects.close)
        try:
            self._engine = await self._stack.enter_async_context(open_engine(settings, CHILD_POOL_SIZE))
            await set_researcher_role(self._engine)
            async with transaction(self._engine) as connection:
                await check_schema(connection)
        except BaseException:
            await self._stack.aclose()
            raise
