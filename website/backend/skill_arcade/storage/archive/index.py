"""Queries about archived episodes: which may be archived, where each is, and objects that no row names.

The caller owns the transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.ids import STEP_BITS, new_episode_id
from skill_arcade.storage.archive.parquet import Location, ManifestEntry
from skill_arcade.storage.archive.rows import ARCHIVE
from skill_arcade.storage.database.tables import Table
from skill_arcade.storage.database.work import WorkKind

_archived, _object = Table.metadata.tables["archived_episode"], Table.metadata.tables["archive_object"]
_work = Table.metadata.tables["work"]
# The rows of a study are read together, for its quality report. A damaged recording stays as it is. An end that can be
# taken back, and a quarantined segment, mean that more of the episode may be uploaded.
_REQUEST = text("""
    INSERT INTO work (kind, subject, time_due)
    SELECT 'archive', e.id::text, now() FROM episode e
    WHERE e.time_ended < now() - CAST(:age AS interval) AND e.n_steps > 0 AND NOT e.provenance ? 'study'
        AND e.end_reason <> 'server-lost' AND NOT (e.end_reason = 'server-stopped' AND e.time_handed_over IS NOT NULL)
        AND coalesce((SELECT c.result FROM certificate c WHERE c.episode_id = e.id
            ORDER BY c.time_created DESC LIMIT 1), 'damaged') <> 'damaged'
        AND NOT EXISTS (SELECT FROM archived_episode a WHERE a.episode_id = e.id AND a.time_archived IS NOT NULL)
        AND NOT EXISTS (SELECT FROM work w WHERE w.kind = 'certify' AND w.subject = e.id::text)
        AND NOT EXISTS (SELECT FROM quarantine q WHERE q.episode_id = e.id)
        AND NOT EXISTS (SELECT FROM erasure x WHERE x.user_id = e.user_id)
    ON CONFLICT DO NOTHING
""")
_MEASURES = text("""
    SELECT s.latency_p50_ms, s.latency_p95_ms,
        (SELECT count(*) FROM transition t WHERE t.episode_id = e.id AND t.shown_us IS NULL) AS dropped_frames,
        round(p.elapsed_seconds * 1e6)::bigint AS elapsed_us, round(p.active_seconds * 1e6)::bigint AS active_us,
        (SELECT md5(string_agg(coalesce(t.shown_us::text, ''), ',' ORDER BY t.step)) FROM transition t
            WHERE t.episode_id = e.id) AS shown_md5
    FROM episode e
    LEFT JOIN episode_summary s ON s.episode_id = e.id LEFT JOIN episode_pace p ON p.episode_id = e.id
    WHERE e.id = :id
""")


@dataclass(frozen=True, slots=True)
class NewObject:
    """An object that is about to be stored, with the place of each of its episodes."""

    key: str
    sha256: str
    n_bytes: int
    n_footer_bytes: int
    entries: Sequence[tuple[ManifestEntry, Location]]


def make_key() -> str:
    """Return a new key. Like the keys of episodes, it begins with random digits."""
    id_ = new_episode_id()
    return f"{ARCHIVE}{(id_.int >> STEP_BITS) & 0xFF:02x}/{id_}.parquet"


def find_id(key: str) -> UUID | None:
    """Return the id in a key below `ARCHIVE`, which has the time of its creation; None for a foreign object."""
    try:
        return UUID(key.rpartition("/")[2].removesuffix(".parquet"))
    except ValueError:
        return None


async def request_archiving(connection: AsyncConnection, age: timedelta) -> int:
    """Request the archiving of all episodes that may be archived and ended longer ago than `age`. Return how many."""
    return (await connection.execute(_REQUEST, {"age": age})).rowcount


async def count_requested(connection: AsyncConnection) -> int:
    """Return the number of episodes that wait to be archived, or are being archived."""
    query = select(func.count()).where(_work.c.kind == WorkKind.ARCHIVE)
    return (await connection.execute(query)).scalar_one()


async def list_places(connection: AsyncConnection, episodes: Collection[UUID]) -> list[Row[Any]]:
    """Return the rows of episodes that are archived, or were being archived, with the object's `sha256`."""
    query = select(_archived, _object.c.sha256).join(_object, _object.c.key == _archived.c.object_key)
    return list(await connection.execute(query.where(_archived.c.episode_id == func.any(list(episodes)))))


async def list_members(connection: AsyncConnection, key: str, *, lock: bool = False) -> list[Row[Any]]:
    """Return the rows of the episodes in an object, by row group."""
    query = select(_archived).where(_archived.c.object_key == key).order_by(_archived.c.row_group)
    return list(await connection.execute(query.with_for_update() if lock else query))


async def lock_place(connection: AsyncConnection, episode_id: UUID) -> Row[Any] | None:
    """Lock an episode and the row that says where its transitions are. None: there is none, or no episode."""
    episode = text("SELECT id FROM episode WHERE id = :id FOR UPDATE")
    if await connection.scalar(episode, {"id": episode_id}) is None:
        return None
    query = select(_archived).where(_archived.c.episode_id == episode_id).with_for_update()
    return (await connection.execute(query)).one_or_none()


async def find_object(connection: AsyncConnection, key: str) -> Row[Any] | None:
    """Return the row of an object, or None if there is none."""
    return (await connection.execute(select(_object).where(_object.c.key == key))).one_or_none()


async def add_object(connection: AsyncConnection, new: NewObject, n_episodes: int | None = None) -> None:
    """Note an object before it is stored, so that an erasure finds it. It has `n_episodes`, by default its entries."""
    values = {"key": new.key, "sha256": new.sha256, "n_bytes": new.n_bytes, "n_footer_bytes": new.n_footer_bytes}
    await connection.execute(insert(_object).values(**values, n_episodes=n_episodes or len(new.entries)))


async def add_places(connection: AsyncConnection, new: NewObject) -> None:
    """Note where the transitions of episodes are about to be stored."""
    rows = [
        {
            "episode_id": entry.episode_id,
            "object_key": new.key,
            "row_group": entry.row_group,
            "first_byte": location.first_byte,
            "n_bytes": location.n_bytes,
            "n_steps": entry.n_steps,
            "rows_sha256": entry.rows_sha256,
        }
        for entry, location in new.entries
    ]
    await connection.execute(insert(_archived), rows)


async def move_places(connection: AsyncConnection, new: NewObject) -> None:
    """Note that the transitions of archived episodes are in another object now."""
    for entry, location in new.entries:
        values = {
            "object_key": new.key,
            "row_group": entry.row_group,
            "first_byte": location.first_byte,
            "n_bytes": location.n_bytes,
        }
        moved = update(_archived).where(_archived.c.episode_id == entry.episode_id)
        await connection.execute(moved.values(**values))


async def read_measures(connection: AsyncConnection, episode_id: UUID) -> dict[str, Any]:
    """Compute what views compute from the transitions of an episode, which are still in the database."""
    return (await connection.execute(_MEASURES, {"id": episode_id})).one()._asdict()


async def finish_place(connection: AsyncConnection, episode_id: UUID, measures: Mapping[str, Any]) -> None:
    """Delete the transitions of an episode from the database, and note that it is archived."""
    values = {**measures, "time_archived": func.now()}
    await connection.execute(update(_archived).where(_archived.c.episode_id == episode_id).values(**values))
    await connection.execute(text("DELETE FROM public.transition WHERE episode_id = :id"), {"id": episode_id})


async def delete_places(connection: AsyncConnection, key: str, episodes: Collection[UUID]) -> None:
    """Delete the rows of episodes in an object, and the object's own row with the last of them."""
    named = (_archived.c.object_key == key) & (_archived.c.episode_id == func.any(list(episodes)))
    await connection.execute(delete(_archived).where(named))
    await delete_object(connection, key)


async def delete_object(connection: AsyncConnection, key: str) -> bool:
    """Delete the row of an object if no episode is in it. Return whether it was deleted.

    A process that is about to let episodes be in it then fails, because of the foreign key.
    """
    members = select(literal(1)).where(_archived.c.object_key == key).exists()
    return (await connection.execute(delete(_object).where(_object.c.key == key, ~members))).rowcount > 0


async def list_objects(connection: AsyncConnection) -> list[Row[Any]]:
    """Return `key`, `n_episodes`, `n_named` (the number of rows that name it) and `age` of all objects."""
    counts = select(_archived.c.object_key, func.count().label("n")).group_by(_archived.c.object_key).subquery()
    columns = (func.coalesce(counts.c.n, 0).label("n_named"), (func.now() - _object.c.time_created).label("age"))
    query = select(_object.c.key, _object.c.n_episodes, *columns)
    return list(await connection.execute(query.outerjoin(counts, counts.c.object_key == _object.c.key)))
