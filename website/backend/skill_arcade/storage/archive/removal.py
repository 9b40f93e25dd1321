"""Removes episodes from archive objects, and objects that nobody needs. Each step may be interrupted and repeated."""

import asyncio
import hashlib
import logging
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import ObjectMissing, RecordingDamaged
from skill_arcade.ids import created_at
from skill_arcade.storage.archive.index import (
    NewObject,
    add_object,
    delete_object,
    delete_places,
    find_id,
    find_object,
    list_members,
    list_objects,
    list_places,
    make_key,
    move_places,
)
from skill_arcade.storage.archive.parquet import (
    ObjectWriter,
    copy_entries,
    locate,
    measure_footer,
    open_object,
    read_manifest,
)
from skill_arcade.storage.archive.rows import ARCHIVE
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.objects import ObjectStore
from skill_arcade.storage.objects.verified import read_verified

log = logging.getLogger(__name__)
MIN_AGE = timedelta(days=2)
"""Age from which an object without a row is not one that another process is about to note or to delete."""
MAX_ATTEMPTS = 10
"""Number of attempts to replace an object that others replace at the same time."""


async def remove_archived(engine: AsyncEngine, objects: ObjectStore, episodes: Collection[UUID]) -> None:
    """Remove the transitions of episodes from the archive, because they are erased.

    An object with other episodes is written again without them, under another key; then the old one is deleted.
    """
    for _ in range(MAX_ATTEMPTS):
        async with transaction(engine) as connection:
            keys = sorted({row.object_key for row in await list_places(connection, episodes)})
        if not keys:
            return
        for key in keys:
            await shrink_object(engine, objects, key, without=episodes)
    raise RecordingDamaged(f"{len(keys)} objects of the archive change all the time.", "changes all the time")


async def shrink_object(
    engine: AsyncEngine, objects: ObjectStore, key: str, without: Collection[UUID] = frozenset()
) -> None:
    """Remove from an object the episodes that no row names, and those in `without`."""
    async with transaction(engine) as connection:
        members, stored = await list_members(connection, key), await find_object(connection, key)
    kept = [row.episode_id for row in members if row.episode_id not in without]
    if stored is not None and not members:
        await _delete_empty(engine, objects, key)
        return
    if kept:
        assert stored is not None  # by the foreign key
        try:
            data = await objects.get(key)
        except ObjectMissing:
            # Another process has replaced it, or not stored it yet: the archiver then removes what is not named.
            async with transaction(engine) as connection:
                await delete_places(connection, key, without)
            return
        if hashlib.sha256(data).hexdigest() != stored.sha256:
            raise RecordingDamaged(f"Object {key} has other bytes than were archived.", "has other bytes")
        file = await asyncio.to_thread(open_object, data)
        entries = [entry for entry in read_manifest(file) if entry.episode_id in kept]
        if len(entries) == file.metadata.num_row_groups:
            return
        writer = await asyncio.to_thread(copy_entries, file, entries)
        if not await _replace(engine, objects, key, await build_object(writer), set(kept)):
            return  # the caller looks again
    await objects.delete(key)
    async with transaction(engine) as connection:
        await delete_places(connection, key, [row.episode_id for row in members if row.episode_id in without])


async def build_object(writer: ObjectWriter) -> tuple[NewObject, bytes]:
    """Return the object of a writer, described for the index, and its bytes."""

    def build() -> tuple[NewObject, bytes]:
        data = writer.finish()
        file = open_object(data)
        entries = [(entry, locate(file, entry.row_group)) for entry in writer.entries]
        sha256 = hashlib.sha256(data).hexdigest()
        return NewObject(make_key(), sha256, len(data), measure_footer(data), entries), data

    return await asyncio.to_thread(build)


async def sweep(engine: AsyncEngine, objects: ObjectStore, min_age: timedelta = MIN_AGE) -> None:
    """Repair what interrupted processes, and a restored database, have left.

    Rows that name a missing object get the one that has replaced it (`find_replaced`). Episodes that no row names are
    removed from objects, and objects without a row are deleted. Do not call it with a copy of the database.
    """
    stored = await find_replaced(engine, objects)
    async with transaction(engine) as connection:
        noted = {row.key: row for row in await list_objects(connection)}
    for row in noted.values():
        # A young one is perhaps about to replace another one.
        if row.n_named == 0 and row.age >= min_age:
            await _delete_empty(engine, objects, row.key)
        elif 0 < row.n_named < row.n_episodes and row.key in stored:
            await shrink_object(engine, objects, row.key)
    limit = datetime.now(UTC) - min_age
    for key in sorted(stored - noted.keys()):
        id_ = find_id(key)
        if id_ is not None and created_at(id_) < limit:
            log.info("deleting object without a row key=%s", key)
            await objects.delete(key)


async def find_replaced(engine: AsyncEngine, objects: ObjectStore) -> set[str]:
    """Let rows that name a missing object name the one that has replaced it. Return the keys of all objects.

    Such rows are in a database that was restored to a time before an erasure.
    """
    stored = {key async for key in objects.list(ARCHIVE)}
    async with transaction(engine) as connection:
        noted = {row.key for row in await list_objects(connection)}
    if missing := noted - stored:
        for key in sorted(stored - noted):
            await _adopt(engine, objects, key, missing)
    return stored


async def _delete_empty(engine: AsyncEngine, objects: ObjectStore, key: str) -> None:
    """Delete an object that no episode is in: first its row, so that no episode can be moved to it meanwhile."""
    async with transaction(engine) as connection:
        is_deleted = await delete_object(connection, key)
    if is_deleted:
        await objects.delete(key)


async def _replace(
    engine: AsyncEngine, objects: ObjectStore, key: str, new: tuple[NewObject, bytes], kept: set[UUID]
) -> bool:
    """Store an object and let the rows of its episodes name it instead of `key`. Return False if they do not fit."""
    described, data = new
    async with transaction(engine) as connection:
        await add_object(connection, described)
    await objects.put(described.key, data)
    await read_verified(objects, described.key, described.sha256)
    async with transaction(engine) as connection:
        if is_current := kept <= {row.episode_id for row in await list_members(connection, key, lock=True)}:
            await move_places(connection, described)
    if not is_current:
        await objects.delete(described.key)
        async with transaction(engine) as connection:
            await delete_places(connection, described.key, [])
    return is_current


async def _adopt(engine: AsyncEngine, objects: ObjectStore, key: str, missing: Collection[str]) -> None:
    """Let rows that name a missing object name this one, if it has the same transitions."""
    data = await objects.get(key)
    file = await asyncio.to_thread(open_object, data)
    entries = {entry.episode_id: entry for entry in read_manifest(file)}
    async with transaction(engine) as connection:
        found = [
            entries[row.episode_id]
            for row in await list_places(connection, entries.keys())
            if row.object_key in missing and row.rows_sha256 == entries[row.episode_id].rows_sha256
        ]
        if not found:
            return
        places = [(entry, locate(file, entry.row_group)) for entry in found]
        sha256 = hashlib.sha256(data).hexdigest()
        # With the number of all of its episodes, so that those that the rows do not name are removed from it.
        await add_object(connection, NewObject(key, sha256, len(data), measure_footer(data), places), len(entries))
        await move_places(connection, NewObject(key, sha256, len(data), measure_footer(data), places))
    log.warning("found archived episodes again key=%s n_episodes=%d", key, len(found))
