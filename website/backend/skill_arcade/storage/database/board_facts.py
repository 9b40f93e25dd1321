"""Queries about the facts that decide whether an episode ranks. The caller owns the transaction."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.storage.database.tables import Table

_table = Table.metadata.tables
_episode, _user, _game = _table["episode"], _table["user"], _table["game"]
_certificate, _event, _transition = _table["certificate"], _table["event"], _table["transition"]
_archived = _table["archived_episode"]


async def read_episode_facts(connection: AsyncConnection, episode_id: UUID) -> Row[Any] | None:
    """Return an episode with its player, manifest and newest certificate, or None if it does not exist."""
    newest = (
        select(_certificate.c.result, _certificate.c.versions)
        .where(_certificate.c.episode_id == _episode.c.id)
        .order_by(_certificate.c.time_created.desc())
        .limit(1)
        .lateral()
    )
    game = (_game.c.config, _game.c.alias_of, _game.c.alias_options)
    query = (
        select(_episode, _user.c.is_synthetic, *game, newest.c.result, newest.c.versions)
        .join(_user, _user.c.id == _episode.c.user_id)
        .join(_game, _game.c.id == _episode.c.game_id)
        .outerjoin(newest, text("true"))
        .where(_episode.c.id == episode_id)
        .with_for_update(read=True, key_share=True, of=_episode)
    )
    return (await connection.execute(query)).one_or_none()


async def read_pace(connection: AsyncConnection, episode_id: UUID) -> Row[Any]:
    """Return the row of the view `episode_pace`."""
    query = text("SELECT nominal_hz, active_speed, overall_speed, pauses FROM episode_pace WHERE episode_id = :episode")
    return (await connection.execute(query, {"episode": episode_id})).one()


async def list_events(connection: AsyncConnection, episode_id: UUID) -> list[Row[Any]]:
    """Return kind, browser time and data of an episode's inputs and changes of focus, in order of arrival."""
    query = select(_event.c.kind, _event.c.client_us, _event.c.data)
    query = query.where(_event.c.episode_id == episode_id, _event.c.kind.in_(("input", "focus")))
    return list(await connection.execute(query.order_by(_event.c.number)))


async def list_event_kinds(connection: AsyncConnection, episode_id: UUID) -> frozenset[str]:
    """Return the kinds of events that an episode has."""
    query = select(_event.c.kind).where(_event.c.episode_id == episode_id).distinct()
    return frozenset((await connection.execute(query)).scalars())


async def count_before_shown(connection: AsyncConnection, episode_id: UUID) -> int:
    """Return the number of presses that refer to a frame which, by the browser's clock, was painted after them."""
    # The archiver has counted those of an archived episode.
    frame = _event.c.data["frame"].as_integer()
    query = (
        select(func.count())
        .select_from(_event)
        .join(_transition, (_transition.c.episode_id == _event.c.episode_id) & (_transition.c.step == frame))
        .where(
            _event.c.episode_id == episode_id,
            _event.c.kind == "input",
            _event.c.data["down"].as_boolean(),
            _event.c.client_us < _transition.c.shown_us,
        )
    )
    archived = select(_archived.c.n_before_shown).where(_archived.c.episode_id == episode_id)
    return (await connection.execute(query)).scalar_one() + (await connection.scalar(archived) or 0)
