"""Notes on steps of episodes. They are retracted, never deleted. The caller owns the transaction."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import InvalidRequest, NotFound
from skill_arcade.storage.database.tables import Table

_note = Table.metadata.tables["note"]
MAX_NOTES = 2000
"""Maximum number of notes of one author on one episode."""


async def add_note(connection: AsyncConnection, episode_id: UUID, user_id: str, fields: Mapping[str, Any]) -> Row[Any]:
    """Insert a note. `fields` are `author_role, step_from, step_to, tag, vocabulary, text`.

    Raises:
        InvalidRequest: the author has `MAX_NOTES` notes on this episode.
    """
    written = select(func.count()).where(_note.c.episode_id == episode_id, _note.c.user_id == user_id)
    if (await connection.execute(written)).scalar_one() >= MAX_NOTES:
        raise InvalidRequest(f"You have {MAX_NOTES} notes on this episode, which is the maximum.")
    values = {**fields, "id": uuid4(), "episode_id": episode_id, "user_id": user_id}
    added: Row[Any] = (await connection.execute(insert(_note).values(values).returning(_note))).one()
    return added


async def list_notes(connection: AsyncConnection, episode_id: UUID, author_id: str | None = None) -> list[Row[Any]]:
    """Return the notes on an episode, also the retracted ones, in the order of their steps.

    `author_id` limits the list to one author; None means all.
    """
    query = select(_note).where(_note.c.episode_id == episode_id)
    if author_id is not None:
        query = query.where(_note.c.user_id == author_id)
    order: Sequence[Any] = (_note.c.step_from, _note.c.step_to, _note.c.time_created, _note.c.id)
    return list(await connection.execute(query.order_by(*order)))


async def retract_note(connection: AsyncConnection, episode_id: UUID, note_id: UUID, user_id: str) -> Row[Any]:
    """Retract a note of this author; a second retraction changes nothing. Raises NotFound."""
    own = (_note.c.id == note_id, _note.c.episode_id == episode_id, _note.c.user_id == user_id)
    statement = update(_note).where(*own).values(time_retracted=func.coalesce(_note.c.time_retracted, func.now()))
    found: Row[Any] | None = (await connection.execute(statement.returning(_note))).one_or_none()
    if found is None:
        raise NotFound(f"You have no note {note_id} on episode {episode_id}.")
    return found
