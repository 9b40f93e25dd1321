"""Objects without an episode, which remain if a server is killed between storing the objects of a segment and its rows.

They may be of an account that has been erased since, and no row leads to them.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.ids import created_at
from skill_arcade.recording.journal_files import list_journal_files
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.stored_episodes import find_missing
from skill_arcade.storage.objects import ObjectStore
from skill_arcade.uploader.reconcile import list_keys

MIN_AGE = timedelta(days=2)
"""Age from which an episode without rows is not one that another server still uploads."""


async def find_orphans(
    journal: Path, objects: ObjectStore, engine: AsyncEngine, min_age: timedelta = MIN_AGE
) -> dict[UUID, set[str]]:
    """Return the keys of objects by episode, of episodes that are neither in the journal nor in the database.

    Like `reconcile`, it lists the objects first, then the journal, then the rows, the order in which a segment moves.
    """
    keys, _ = await list_keys(objects)
    pieces = await asyncio.to_thread(list_journal_files, journal)
    limit = datetime.now(UTC) - min_age
    old = [episode for episode in keys if episode not in pieces and created_at(episode) < limit]
    async with transaction(engine) as connection:
        return {episode: keys[episode] for episode in await find_missing(connection, old)}


async def remove_orphans(objects: ObjectStore, orphans: dict[UUID, set[str]]) -> None:
    """Delete the objects that `find_orphans` has found."""
    for keys in orphans.values():
        for key in sorted(keys):
            await objects.delete(key)
