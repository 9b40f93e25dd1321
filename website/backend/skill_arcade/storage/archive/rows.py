"""Shows the archived transitions of episodes to the queries of a transaction, beside those in the database.

Every reader of `transition` that may meet an archived episode calls `show_archived` first. Its SQL stays as it is: in
the transaction, `transition` is a view of both.
"""

import asyncio
import importlib
import io
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from types import ModuleType
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import ObjectMissing, RecordingDamaged
from skill_arcade.storage.database.tables import Table
from skill_arcade.storage.database.transition_columns import COLUMN_NAMES, TRANSITION, Kind
from skill_arcade.storage.objects import ObjectStore
from skill_arcade.storage.objects.verified import read_verified

_table = Table.metadata.tables
_episode, _archived, _object = _table["episode"], _table["archived_episode"], _table["archive_object"]
STEP_VIEWS = ("input_latency", "reaction_time", "action_use")
"""The views with rows of single steps, which are computed from `transition`."""
ARCHIVE = "archive/"
"""Prefix of all objects with archived transitions."""
LOADED = "archived_transition"
"""Temporary table with the archived transitions that a transaction has loaded."""
MAX_ATTEMPTS = 3
"""Number of attempts to read an object that an erasure replaces meanwhile."""


async def show_archived(
    connection: AsyncConnection, objects: ObjectStore, episodes: Sequence[UUID], *, views: bool = False
) -> None:
    """Show the archived transitions of these episodes to the queries of this transaction.

    Call it before the transaction is made read-only: it creates temporary tables and views, which end with the
    transaction. `views`: show them in `STEP_VIEWS` too.

    Rows that are not archived yet stay visible to the end of the transaction: by its snapshot, or otherwise by a lock
    for which the archiver waits.

    Raises:
        RecordingDamaged: an object is missing, or its rows are not those that were archived.
        NotReady: the object store does not answer.
    """
    if await connection.scalar(text("SHOW transaction_isolation")) == "read committed":
        locked = select(_episode.c.id).where(_episode.c.id == func.any(list(episodes))).order_by(_episode.c.id)
        await connection.execute(locked.with_for_update(read=True, key_share=True))
    for attempt in range(MAX_ATTEMPTS):
        if not (rows := await _list_hidden(connection, episodes)):
            return
        try:
            async for row, table in _read_tables(objects, rows):
                await create_views(connection, views=views)
                await load_rows(connection, table)
                await check_digest(connection, row.episode_id, row.rows_sha256, table.column_names)
            break
        except ObjectMissing as error:  # an erasure has just replaced the object, unless the transaction is a snapshot
            if attempt + 1 == MAX_ATTEMPTS:
                raise RecordingDamaged(f"{error} Archived transitions were there.") from error
    await connection.execute(text(f"ANALYZE pg_temp.{LOADED}"))


async def has_archive(connection: AsyncConnection, episodes: Iterable[UUID]) -> bool:
    """Return whether an object of the archive has transitions of these episodes, or may get them."""
    query = select(_archived.c.episode_id).where(_archived.c.episode_id.in_(list(episodes))).limit(1)
    return await connection.scalar(query) is not None


async def list_archived(connection: AsyncConnection, first: UUID, last: UUID) -> dict[UUID, tuple[int, str]]:
    """Return the number of transitions of each archived episode from `first` to `last`, and the object's key."""
    query = select(_archived.c.episode_id, _archived.c.n_steps, _archived.c.object_key)
    query = query.where(_archived.c.episode_id.between(first, last), _archived.c.time_archived.is_not(None))
    return {row.episode_id: (row.n_steps, row.object_key) for row in await connection.execute(query)}


async def list_archive(connection: AsyncConnection, episodes: Sequence[UUID]) -> dict[str, str]:
    """Return the keys of the objects with archived transitions of these episodes, and the SHA-256 of each."""
    query = select(_object.c.key, _object.c.sha256).join(_archived, _archived.c.object_key == _object.c.key).distinct()
    is_archived = _archived.c.time_archived.is_not(None) & (_archived.c.episode_id == func.any(list(episodes)))
    return {row.key: row.sha256 for row in await connection.execute(query.where(is_archived).order_by(_object.c.key))}


async def create_views(connection: AsyncConnection, *, views: bool = False) -> None:
    """Create the temporary table of archived transitions, and views of it, unless this transaction has them."""
    if await connection.scalar(text(f"SELECT to_regclass('pg_temp.{LOADED}')")) is not None:
        return
    definitions = {}
    if views:
        query = text("SELECT pg_get_viewdef(to_regclass(:name))")
        definitions = {name: await connection.scalar(query, {"name": name}) for name in STEP_VIEWS}
    columns = ", ".join(COLUMN_NAMES)
    create = f"CREATE TEMP TABLE {LOADED} ON COMMIT DROP AS SELECT {columns} FROM transition WITH NO DATA"
    await connection.exec_driver_sql(create)
    await connection.exec_driver_sql(f"CREATE INDEX ON pg_temp.{LOADED} (episode_id, step)")
    # A view ends with the table that it reads.
    await connection.exec_driver_sql(
        f"CREATE TEMP VIEW transition AS SELECT {columns} FROM transition "
        f"UNION ALL SELECT {columns} FROM pg_temp.{LOADED}"
    )
    # Postgres parses a statement again that it has parsed with another path, so that its `transition` is the view.
    await connection.exec_driver_sql(
        "SELECT set_config('search_path', 'pg_temp, ' || current_setting('search_path'), true)"
    )
    for name, definition in definitions.items():
        await connection.exec_driver_sql(f"CREATE TEMP VIEW {name} AS {definition}")


async def load_rows(connection: AsyncConnection, rows: Any) -> None:
    """Load a table of transitions into the temporary table."""
    parquet = await _import_parquet()
    data, names = await asyncio.to_thread(parquet.format_csv, rows)
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    source = io.BytesIO(data)
    await driver.copy_to_table(LOADED, source=source, columns=names, schema_name="pg_temp", format="csv")


async def compute_digest(
    connection: AsyncConnection, relation: str, episode_id: UUID, names: Collection[str]
) -> tuple[int, str | None]:
    """Return the number of an episode's rows, and the digest of these columns; None without rows."""
    values = ", ".join(_canonical(column.name, column.kind) for column in TRANSITION if column.name in names)
    row = f"sha256(convert_to(ROW({values})::text, 'UTF8'))"
    query = (
        f"SELECT count(*), encode(sha256(string_agg({row}, ''::bytea ORDER BY step)), 'hex') FROM {relation} "
        f"WHERE episode_id = $1"
    )
    found: tuple[Any, ...] = tuple((await connection.exec_driver_sql(query, (episode_id,))).one())
    return int(found[0]), found[1]


async def check_digest(connection: AsyncConnection, episode_id: UUID, sha256: str, names: Collection[str]) -> None:
    """Check the loaded transitions of an episode. Raises RecordingDamaged."""
    _, found = await compute_digest(connection, f"pg_temp.{LOADED}", episode_id, {*names, "id"})
    if found != sha256:
        raise RecordingDamaged(f"The archived transitions of episode {episode_id} are not those that were archived.")


def _canonical(name: str, kind: Kind) -> str:
    """Return an expression whose text does not depend on the settings of a session."""
    if kind is Kind.float64:
        return f"float8send({name})"
    return f"extract(epoch FROM {name})" if kind is Kind.timestamp else name


async def _list_hidden(connection: AsyncConnection, episodes: Sequence[UUID]) -> list[Row[Any]]:
    """Return the archived ones of these episodes that this transaction has not loaded yet, by object."""
    is_hidden = _archived.c.time_archived.is_not(None) & (_archived.c.episode_id == func.any(list(episodes)))
    query = select(_archived, _object.c.sha256, _object.c.n_bytes.label("size"), _object.c.n_footer_bytes)
    query = query.join(_object, _object.c.key == _archived.c.object_key).where(is_hidden)
    rows = list(await connection.execute(query.order_by(_archived.c.object_key, _archived.c.row_group)))
    if not rows or await connection.scalar(text(f"SELECT to_regclass('pg_temp.{LOADED}')")) is None:
        return rows
    loaded = set((await connection.execute(text(f"SELECT DISTINCT episode_id FROM pg_temp.{LOADED}"))).scalars())
    return [row for row in rows if row.episode_id not in loaded]


async def _import_parquet() -> ModuleType:
    """Import what reads Parquet: only when a process meets an archived episode, and beside its event loop.

    The uploader has no other use for pyarrow, which takes 35 MB.
    """
    return await asyncio.to_thread(importlib.import_module, "skill_arcade.storage.archive.parquet")


async def _read_tables(objects: ObjectStore, rows: Sequence[Row[Any]]) -> AsyncIterator[tuple[Row[Any], Any]]:
    """Yield archived episodes with their transitions. Raises ObjectMissing, RecordingDamaged."""
    parquet = await _import_parquet()
    by_object: dict[str, list[Row[Any]]] = {}
    for row in rows:
        by_object.setdefault(row.object_key, []).append(row)
    for key, members in by_object.items():
        size, n_footer = members[0].size, members[0].n_footer_bytes
        if 2 * sum(row.n_bytes for row in members) > size - n_footer:
            await objects.size(key)  # so that a missing object is not taken for a damaged one
            file = await asyncio.to_thread(parquet.open_object, await read_verified(objects, key, members[0].sha256))
            for row in members:
                yield row, await asyncio.to_thread(parquet.read_rows, file, row.row_group)
            continue
        footer = await objects.get_range(key, size - n_footer, n_footer)
        for row in members:
            part = await objects.get_range(key, row.first_byte, row.n_bytes)
            arguments = (size, row.first_byte, part, footer, row.row_group)
            yield row, await asyncio.to_thread(parquet.read_part, *arguments)
