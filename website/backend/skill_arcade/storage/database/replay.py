"""Queries for watching an episode: its steps as columns, its events, and `info` at an observation."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import NotFound
from skill_arcade.storage.database.tables import Table

_table = Table.metadata.tables
_episode, _transition, _event = _table["episode"], _table["transition"], _table["event"]
_game, _certificate = _table["game"], _table["certificate"]
STEP_COLUMNS = ("action", "reward", "server_us", "stepped_us", "shown_us", "input_us", "input_received_us")
QUIET_KINDS = ("clock", "align", "last-shown")
"""Kinds of events that only measure; they are left out, because there are many of them."""


async def read_step_columns(
    connection: AsyncConnection, episode_id: UUID, first: int, count: int, lives_key: str | None
) -> dict[str, list[Any]]:
    """Return the columns `STEP_COLUMNS` and `lives` of the steps from `first` on.

    `lives` is the value of `info[lives_key]` after the step, as a text; null means as before. The first one is not null
    if the value is known.
    """
    columns: dict[str, ColumnElement[Any]] = {name: _transition.c[name] for name in STEP_COLUMNS}
    columns["lives"] = _transition.c.info[lives_key or ""].astext
    by_step = {
        name: func.array_agg(aggregate_order_by(column, _transition.c.step)).label(name)
        for name, column in columns.items()
    }
    selected = (_transition.c.episode_id == episode_id, _transition.c.step.between(first, first + count - 1))
    row = (await connection.execute(select(*by_step.values()).where(*selected))).one()
    found = {name: list(row._mapping[name] or []) for name in columns}
    if found["lives"] and found["lives"][0] is None and lives_key is not None:
        info = await read_info(connection, episode_id, first)
        found["lives"][0] = None if info.get(lives_key) is None else str(info[lives_key])
    return found


async def read_info(connection: AsyncConnection, episode_id: UUID, frame: int) -> dict[str, Any]:
    """Return the stored `info` that came with observation `frame`: of `reset` for 0, of step `frame - 1` otherwise.

    Raises:
        NotFound: the episode has no such observation.
    """
    reset_info = select(_episode.c.reset_info, _episode.c.n_steps).where(_episode.c.id == episode_id)
    episode = (await connection.execute(reset_info)).one()
    if not 0 <= frame <= episode.n_steps:
        raise NotFound(f"Episode {episode_id} has no frame {frame}. Its frames are 0 to {episode.n_steps}.")
    newest = (
        select(_transition.c.info)
        .where(_transition.c.episode_id == episode_id, _transition.c.step < frame, _transition.c.info.is_not(None))
        .order_by(_transition.c.step.desc())
        .limit(1)
    )
    found = (await connection.execute(newest)).scalar()
    return dict(episode.reset_info if found is None else found)


async def list_info_texts(connection: AsyncConnection, episode_id: UUID, key: str) -> list[tuple[int, str]]:
    """Return the observations at which `info[key]` was recorded, with its text."""
    reset_info = select(_episode.c.reset_info[key].astext).where(_episode.c.id == episode_id)
    first = (await connection.execute(reset_info)).scalar()
    query = (
        select(_transition.c.step + 1, _transition.c.info[key].astext)
        .where(_transition.c.episode_id == episode_id, _transition.c.info.has_key(key))
        .order_by(_transition.c.step)
    )
    texts = [(0, str(first))] if first is not None else []
    return texts + [(int(row[0]), str(row[1])) for row in await connection.execute(query)]


async def list_replay_events(connection: AsyncConnection, episode_id: UUID) -> list[Row[Any]]:
    """Return the events of an episode in order, except those of `QUIET_KINDS`."""
    query = select(_event).where(_event.c.episode_id == episode_id, _event.c.kind.not_in(QUIET_KINDS))
    return list(await connection.execute(query.order_by(_event.c.number)))


async def newest_certificate(connection: AsyncConnection, episode_id: UUID) -> Row[Any] | None:
    """Return the newest certificate of an episode, or None if it has not been re-run."""
    query = select(_certificate).where(_certificate.c.episode_id == episode_id)
    return (await connection.execute(query.order_by(_certificate.c.time_created.desc()).limit(1))).one_or_none()


async def read_manifest(connection: AsyncConnection, game_id: str) -> dict[str, Any]:
    """Return the stored manifest of a game, also of one that was removed from the catalogue."""
    return dict((await connection.execute(select(_game.c.config).where(_game.c.id == game_id))).scalar_one())
