"""Counts of the stored steps, segments and objects of each episode, for reconciliation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.storage.archive.rows import list_archived
from skill_arcade.storage.database import tables
from skill_arcade.storage.database.provisional_ends import SERVER_LOST

_table = tables.Table.metadata.tables
_episode, _transition, _segment = _table["episode"], _table["transition"], _table["segment"]


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A stored segment. `objects` maps an object key to its SHA-256 in hexadecimal."""

    number: int
    first_step: int
    n_steps: int
    n_frames: int
    objects: dict[str, str]


@dataclass(frozen=True, slots=True)
class StoredEpisode:
    """An episode's step counter, and its stored transitions and segments.

    `server_id` is the server that plays it, None if unknown. `is_lost` is True if its end is provisional. Archived
    transitions count; `archive_key` is the key of the object that has them, None if they are in the database.
    """

    id: UUID
    n_steps: int
    ended: bool
    n_transitions: int = 0
    last_step: int = -1
    segments: list[StoredSegment] = field(default_factory=list)
    server_id: UUID | None = None
    is_lost: bool = False
    archive_key: str | None = None


async def list_stored_episodes(connection: AsyncConnection, after: UUID | None, limit: int) -> list[StoredEpisode]:
    """Return a page of episodes by id, after the id `after`; None starts at the first. Counting uses an index only."""
    columns = (_episode.c.id, _episode.c.n_steps, _episode.c.end_reason, _episode.c.server_id)
    page = select(*columns).order_by(_episode.c.id).limit(limit)
    if after is not None:
        page = page.where(_episode.c.id > after)
    episodes = list(await connection.execute(page))
    if not episodes:
        return []
    first, last = episodes[0].id, episodes[-1].id
    counts, archived = await _count_transitions(connection, first, last), await list_archived(connection, first, last)
    for episode, (n_steps, _) in archived.items():
        n_more, last_step = counts.get(episode, (0, -1))
        counts[episode] = (n_steps + n_more, max(n_steps - 1, last_step))
    segments = await _list_segments(connection, first, last)
    return [
        StoredEpisode(
            row.id,
            row.n_steps,
            row.end_reason is not None,
            *counts.get(row.id, (0, -1)),
            segments.get(row.id, []),
            row.server_id,
            row.end_reason == SERVER_LOST,
            archived.get(row.id, (0, None))[1],
        )
        for row in episodes
    ]


async def find_missing(connection: AsyncConnection, episodes: Sequence[UUID]) -> list[UUID]:
    """Return the episodes of `episodes` that have no row."""
    wanted = bindparam("episodes", list(episodes), ARRAY(Uuid))
    stored = await connection.execute(select(_episode.c.id).where(_episode.c.id == func.any(wanted)))
    return sorted(set(episodes) - set(stored.scalars()))


async def _count_transitions(connection: AsyncConnection, first: UUID, last: UUID) -> dict[UUID, tuple[int, int]]:
    query = (
        select(_transition.c.episode_id, func.count(), func.max(_transition.c.step))
        .where(_transition.c.episode_id.between(first, last))
        .group_by(_transition.c.episode_id)
    )
    return {row[0]: (row[1], row[2]) for row in await connection.execute(query)}


async def _list_segments(connection: AsyncConnection, first: UUID, last: UUID) -> dict[UUID, list[StoredSegment]]:
    columns = (_segment.c.number, _segment.c.first_step, _segment.c.n_steps, _segment.c.n_frames, _segment.c.objects)
    query = (
        select(_segment.c.episode_id, *columns)
        .where(_segment.c.episode_id.between(first, last))
        .order_by(_segment.c.episode_id, _segment.c.number)
    )
    segments: dict[UUID, list[StoredSegment]] = {}
    for row in await connection.execute(query):
        values: tuple[Any, ...] = tuple(row)
        segments.setdefault(values[0], []).append(StoredSegment(*values[1:]))
    return segments
