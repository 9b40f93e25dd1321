"""Archives all episodes of a test, and reads everything that the program reads of an episode."""

import asyncio
import math
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.storage.archive.archiver import ArchiveProgress, Archiver
from skill_arcade.storage.archive.parquet import open_object, read_manifest
from skill_arcade.storage.archive.rows import ARCHIVE, STEP_VIEWS, show_archived
from skill_arcade.storage.database.board_facts import count_before_shown
from skill_arcade.storage.database.branches import find_frame, read_line
from skill_arcade.storage.database.bulk_copy import COPY_SCHEMAS, copy_rows
from skill_arcade.storage.database.dataset_versions import _read_digests
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.episode_measures import measure_episodes
from skill_arcade.storage.database.queries import (
    count_parts,
    episode_pace,
    episode_summary,
    episode_transitions,
    get_episode,
)
from skill_arcade.storage.database.replay import list_info_texts, read_info, read_step_columns
from skill_arcade.storage.database.stored_episodes import list_stored_episodes
from skill_arcade.storage.objects import ObjectStore

ANY_AGE = timedelta(days=-36_500)
_CERTIFY = text("""
    INSERT INTO certificate (episode_id, result, reason, n_steps, seconds, versions)
    SELECT e.id, 'certified', '', e.n_steps, 1, '{}' FROM episode e
    WHERE e.time_ended IS NOT NULL AND NOT EXISTS (SELECT FROM certificate c WHERE c.episode_id = e.id)
""")


async def certify_all(engine: AsyncEngine) -> None:
    """Certify all episodes that have ended and have no certificate."""
    async with transaction(engine) as connection:
        await connection.execute(_CERTIFY)
        await connection.execute(text("DELETE FROM work WHERE kind = 'certify'"))


async def archive_all(engine: AsyncEngine, objects: ObjectStore) -> ArchiveProgress:
    """Archive all episodes that have ended; those without a certificate get one."""
    await certify_all(engine)
    return await Archiver(engine, objects).run(ANY_AGE)


async def count_rows(engine: AsyncEngine) -> int:
    """Return the number of transitions in the database."""
    async with transaction(engine) as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM transition")) or 0)


async def expire_leases(engine: AsyncEngine) -> None:
    """Let the work of processes that were killed be claimed at once."""
    async with transaction(engine) as connection:
        await connection.execute(text("UPDATE work SET time_due = now()"))


async def list_contents(objects: ObjectStore) -> dict[str, set[UUID]]:
    """Return the episodes that each object of the archive has."""
    keys = [key async for key in objects.list(ARCHIVE)]
    return {key: {entry.episode_id for entry in read_manifest(open_object(await objects.get(key)))} for key in keys}


async def list_places(engine: AsyncEngine) -> dict[str, set[UUID]]:
    """Return the episodes that each object has according to the rows."""
    async with transaction(engine) as connection:
        rows = await connection.execute(
            text(
                "SELECT o.key, a.episode_id FROM archive_object o LEFT JOIN archived_episode a ON a.object_key = o.key"
            )
        )
        places: dict[str, set[UUID]] = {}
        for key, episode in rows:
            places.setdefault(key, set()).update([episode] if episode is not None else [])
    return places


async def read_all(engine: AsyncEngine, objects: ObjectStore, episode_id: UUID, folder: Path) -> dict[str, Any]:
    """Return what each reader of transitions gives for an episode."""
    found: dict[str, Any] = {}
    async with transaction(engine, snapshot=True) as connection:
        await show_archived(connection, objects, [episode_id])
        found["rows"] = [_freeze(row) for row in await episode_transitions(connection, episode_id)]
    async with transaction(engine) as connection:
        found["summary"] = await episode_summary(connection, episode_id)
        found["pace"] = await episode_pace(connection, episode_id)
        found["parts"] = await count_parts(connection, episode_id)
        found["before shown"] = await count_before_shown(connection, episode_id)
        now = await connection.scalar(text("SELECT now()"))
        found["digest"] = await _read_digests(connection, [episode_id], now)
        (stored,) = await list_stored_episodes(connection, UUID(int=episode_id.int - 1), 1)
        found["stored"] = (stored.n_transitions, stored.last_step, stored.n_steps)
    n_steps = found["stored"][2]
    async with transaction(engine) as connection:
        await show_archived(connection, objects, [episode_id])
        for first, count in ((0, n_steps), (n_steps // 2, 3)):
            found[f"columns {first}"] = repr(await read_step_columns(connection, episode_id, first, count, "lives"))
        found["infos"] = [await read_info(connection, episode_id, frame) for frame in range(n_steps + 1)]
        found["texts"] = await list_info_texts(connection, episode_id, "lives")
    async with transaction(engine) as connection:
        found["lines"] = repr([await read_line(connection, objects, episode_id, step) for step in (0, 1, n_steps)])
        episode = await get_episode(connection, episode_id)
        found["frames"] = [await find_frame(connection, episode, step) for step in range(n_steps + 1)]
    async with transaction(engine) as connection:
        await measure_episodes(connection, objects, [episode_id])
        query = text("SELECT * FROM episode_measure WHERE episode_id = :id")
        measured = (await connection.execute(query, {"id": episode_id})).one()._asdict()
        found["measure"] = repr({name: value for name, value in measured.items() if name != "time_measured"})
    for name in COPY_SCHEMAS:
        async with transaction(engine) as connection:
            if name in ("transition", *STEP_VIEWS):
                await show_archived(connection, objects, [episode_id], views=True)
            await copy_rows(connection, name, [episode_id], folder / "rows.csv")
        found[name] = await asyncio.to_thread((folder / "rows.csv").read_bytes)
    return found


def _freeze(row: Any) -> tuple[Any, ...]:
    """Return a row as a tuple in which NaN and -0.0 are equal only to themselves."""
    return tuple(
        (repr(value), math.copysign(1, value)) if isinstance(value, float) else repr(value) for value in tuple(row)
    )
