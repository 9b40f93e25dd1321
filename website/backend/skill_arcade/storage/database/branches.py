"""Reads the steps that lead to a frame of a recorded episode, through all episodes that it branches from (rule R31)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, case, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import NotFound
from skill_arcade.storage.archive.rows import show_archived
from skill_arcade.storage.database.tables import Table, Transition
from skill_arcade.storage.objects import ObjectStore

_table = Table.metadata.tables
_episode, _segment = _table["episode"], _table["segment"]


@dataclass(frozen=True, slots=True)
class Line:
    """The steps from the reset of the root to a frame of an episode. `score` is the sum of their rewards."""

    root: UUID
    actions: list[int]
    score: float


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """Where the picture of an observation is stored: the objects of its segment, and its position in them."""

    objects: dict[str, str]
    position: int


async def read_line(connection: AsyncConnection, objects: ObjectStore, episode_id: UUID, step: int) -> Line:
    """Read the steps of the line that lead to observation `step` of an episode.

    Raises:
        NotFound: an episode of the line does not exist any more, or does not have the step.
    """
    parts: list[list[int]] = []
    score = 0.0
    while True:
        query = select(_episode.c.n_steps, _episode.c.provenance["branch"]).where(_episode.c.id == episode_id)
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound(f"The round {episode_id}, from which this one branches, was erased.")
        await show_archived(connection, objects, [episode_id])
        actions, rewards = await _read_steps(connection, episode_id, step)
        if step > row.n_steps or len(actions) != step:
            raise NotFound(f"Episode {episode_id} has no frame {step}.")
        parts.append(actions)
        score += rewards
        branch: dict[str, Any] | None = row[1]
        if branch is None:
            return Line(episode_id, [action for part in reversed(parts) for action in part], score)
        episode_id, step = UUID(branch["parent"]), int(branch["step"])


async def find_frame(connection: AsyncConnection, episode: Row[Any], step: int) -> StoredFrame:
    """Find the picture of observation `step` of an episode.

    Raises:
        NotFound: it is not stored.
    """
    # Observation i + 1 is in the segment of step i. The first segment begins with the observation of the reset.
    first_frame = _segment.c.first_step + case((_segment.c.number == 0, 0), else_=1)
    of_frame = (first_frame <= step) & (first_frame + _segment.c.n_frames > step)
    query = select(_segment.c.objects, (step - first_frame).label("position"))
    found = (await connection.execute(query.where(_segment.c.episode_id == episode.id, of_frame))).one_or_none()
    if found is None:
        raise NotFound(f"Episode {episode.id} has no frame {step}.")
    return StoredFrame(found.objects, found.position)


async def _read_steps(connection: AsyncConnection, episode_id: UUID, n_steps: int) -> tuple[list[int], float]:
    """Return the first actions of an episode, and the sum of their rewards."""
    is_step = (Transition.c.episode_id == episode_id) & (Transition.c.step < n_steps)
    actions = func.array_agg(aggregate_order_by(Transition.c.action, Transition.c.step))
    query = select(actions, func.coalesce(func.sum(Transition.c.reward), 0.0)).where(is_step)
    row = (await connection.execute(query)).one()
    return list(row[0] or []), float(row[1])
