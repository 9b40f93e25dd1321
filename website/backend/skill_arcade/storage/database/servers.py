"""Servers with a heartbeat. Only the database's clock counts, so that wrong clocks of servers change nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, cast, delete, false, func, insert, literal, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.storage.database.tables import Table

_server, _lease = Table.metadata.tables["server"], Table.metadata.tables["game_lease"]

MAX_KEPT = timedelta(days=30)
"""Time after its end or its loss after which a server is forgotten."""
RECOVERY_GRACE = timedelta(seconds=5)
"""Time after the loss of a server for which players that wait for their game go before the recovery of its journal."""
SILENT_PERIOD = timedelta(days=1)
"""Time for which a lost server is counted as silent."""
_IS_RUNNING = and_(_server.c.time_ended.is_(None), _server.c.time_expires >= func.now())
_IS_SILENT = and_(
    _server.c.time_ended.is_(None),
    _server.c.time_expires.between(func.now() - literal(SILENT_PERIOD), func.now()),
)
# Half of the time after which it is lost: three signs of life at most, so that tickets leave out a dead server earlier.
_IS_FRESH = func.now() - _server.c.time_beat < _server.c.time_expires - func.now()
# A server that missed signs of life itself knows nothing of the silence of others: perhaps the database was down.
_BEAT = text("""
    UPDATE server SET games = :games, socket_origin = :socket_origin, time_ended = NULL,
        live_games = CAST(:live_games AS jsonb),
        time_beat = now(), time_expires = now() + CAST(:lifetime AS interval),
        time_steady = CASE WHEN time_beat < now() - CAST(:lifetime AS interval) / 2 THEN now() ELSE time_steady END
    WHERE id = :id RETURNING time_steady <= now() - CAST(:lifetime AS interval)
""")


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a sign of life returns.

    `is_steady` is True if this server has given signs of life without a gap for the time after which one is lost.
    `n_silent` counts servers that were lost within `SILENT_PERIOD`.
    """

    is_steady: bool
    n_running: int
    n_silent: int


@dataclass(frozen=True, slots=True)
class SilentServer:
    """A server that was lost. `time_beat` is its last sign of life, with `games` games."""

    id: UUID
    address: str
    revision: str
    games: int
    time_beat: datetime


@dataclass(frozen=True, slots=True)
class PlacedServer:
    """A server that accepts players at `socket_origin`. `has_player`: it holds the lease of the player's game."""

    socket_origin: str
    games: int
    max_games: int
    has_player: bool


async def add_server(
    connection: AsyncConnection, server_id: UUID, journal_id: UUID, lifetime: timedelta, **facts: Any
) -> None:
    """Insert a server, unless it is known, and forget those that ended long ago.

    Args:
        connection: database.
        server_id: the server.
        journal_id: journal that it writes.
        lifetime: time after a sign of life after which the server is lost.
        facts: values of `address`, `revision`, `max_games` and `socket_origin`.
    """
    await connection.execute(delete(_server).where(_server.c.time_expires < func.now() - literal(MAX_KEPT)))
    expires = func.now() + literal(lifetime)
    await connection.execute(insert(_server).values(id=server_id, journal_id=journal_id, time_expires=expires, **facts))


async def beat(
    connection: AsyncConnection,
    server_id: UUID,
    n_games: int,
    lifetime: timedelta,
    socket_origin: str | None = None,
    live_games: Sequence[dict[str, Any]] = (),
) -> Heartbeat | None:
    """Give a sign of life of a server. Return None if it has no row, for example because the database was restored.

    `socket_origin` is where it accepts players, or None if no ticket may name it. `live_games` are games of agents that
    can be watched there.
    """
    values = {"id": server_id, "games": n_games, "lifetime": lifetime, "socket_origin": socket_origin}
    values["live_games"] = json.dumps(list(live_games))
    is_steady = await connection.scalar(_BEAT, values)
    if is_steady is None:
        return None
    counts = select(func.count().filter(_IS_RUNNING), func.count().filter(_IS_SILENT))
    n_running, n_silent = (await connection.execute(counts)).one()
    return Heartbeat(is_steady, n_running, n_silent)


async def end_server(connection: AsyncConnection, server_id: UUID) -> None:
    """Note that a server stopped in order. Its journal may still hold segments for its next start."""
    ended = {"time_ended": func.now(), "games": 0, "live_games": []}
    await connection.execute(update(_server).where(_server.c.id == server_id).values(**ended))


async def withdraw_server(connection: AsyncConnection, server_id: UUID) -> None:
    """Let no ticket name a server any more: it is about to stop."""
    await connection.execute(update(_server).where(_server.c.id == server_id).values(socket_origin=None))


async def list_placed(connection: AsyncConnection, user_id: str) -> list[PlacedServer]:
    """Return the servers that accept players, oldest first, with the number of their games.

    Leases are counted too, because they say at once what the heartbeat says seconds later.
    """
    is_valid = and_(_lease.c.server_id == _server.c.id, _lease.c.time_expires >= func.now())
    query = (
        select(
            _server.c.socket_origin,
            func.greatest(_server.c.games, func.count(_lease.c.user_id)),
            _server.c.max_games,
            func.coalesce(func.bool_or(_lease.c.user_id == user_id), false()),
        )
        .outerjoin(_lease, is_valid)
        .where(_IS_RUNNING, _IS_FRESH, _server.c.socket_origin.is_not(None))
        .group_by(_server.c.id)
        .order_by(_server.c.time_started, _server.c.id)
    )
    return [PlacedServer(*row) for row in await connection.execute(query)]


async def find_socket_origin(connection: AsyncConnection, server_id: UUID) -> str | None:
    """Return the origin at which a server accepts sockets, or None if it has none or does not run."""
    query = select(_server.c.socket_origin).where(_server.c.id == server_id, _IS_RUNNING, _IS_FRESH)
    return (await connection.execute(query)).scalar()


async def list_live_games(connection: AsyncConnection, own_id: UUID) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the origins of the other servers, oldest first, with the games of agents that can be watched there."""
    query = (
        select(_server.c.socket_origin, _server.c.live_games)
        .where(_IS_RUNNING, _IS_FRESH, _server.c.id != own_id, _server.c.socket_origin.is_not(None))
        .where(_server.c.live_games != cast([], JSONB))
        .order_by(_server.c.time_started, _server.c.id)
    )
    return [(origin, games) for origin, games in await connection.execute(query)]


async def list_silent(connection: AsyncConnection) -> list[SilentServer]:
    """Return the servers that were lost within `SILENT_PERIOD`, oldest loss first."""
    columns = [_server.c[name] for name in SilentServer.__slots__]
    query = select(*columns).where(_IS_SILENT).order_by(_server.c.time_beat)
    return [SilentServer(*row) for row in await connection.execute(query)]


async def list_lost_journals(connection: AsyncConnection) -> set[UUID]:
    """Return the journals of servers that were lost within `SILENT_PERIOD`, unless a server runs on them.

    A journal is left out while its last server was lost within `RECOVERY_GRACE`, however early others were.
    """
    recent = select(_server.c.journal_id).where(_server.c.time_expires >= func.now() - literal(RECOVERY_GRACE))
    query = select(_server.c.journal_id).where(_IS_SILENT, _server.c.journal_id.not_in(recent))
    return set((await connection.execute(query)).scalars())


async def list_running(connection: AsyncConnection, *, except_journal: UUID | None = None) -> set[UUID]:
    """Return the servers that run, and those before them on the same journal, without those of `except_journal`."""
    running = select(_server.c.journal_id).where(_server.c.time_expires >= func.now())
    query = select(_server.c.id).where(_server.c.journal_id.in_(running))
    if except_journal is not None:
        query = query.where(_server.c.journal_id != except_journal)
    return set((await connection.execute(query)).scalars())
