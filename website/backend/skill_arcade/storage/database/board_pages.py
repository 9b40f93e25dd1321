"""Queries that read leaderboards. The caller owns the transaction."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.storage.database.consents import BOARDS, is_allowed
from skill_arcade.storage.database.tables import Table

_table = Table.metadata.tables
_board, _season, _player = _table["board"], _table["board_season"], _table["board_player"]
_entry, _standing, _game = _table["board_entry"], _table["board_standing"], _table["game"]
_episode, _certificate, _queue = _table["episode"], _table["certificate"], _table["board_queue"]
_newer = _board.alias("newer")
_IS_CURRENT: ColumnElement[bool] = ~exists().where(
    _newer.c.game_id == _board.c.game_id,
    _newer.c.settings == _board.c.settings,
    _newer.c.newest_id > _board.c.newest_id,
)
"""Of several editions of a board the one with the newest episode is shown; the others are obsolete and kept."""
_ORDER = (_standing.c.score.desc(), _standing.c.time_reached, _standing.c.episode_id)


@dataclass(frozen=True, slots=True)
class Standing:
    """A row of a board. `user_id` is for the server only."""

    rank: int
    name: str
    user_id: str
    episode_id: UUID
    score: float
    time_reached: datetime


async def find_current_board(connection: AsyncConnection, game_id: str, settings: str) -> Row[Any] | None:
    """Return the current edition of a board, or None if no episode has ever ranked."""
    query = select(_board).where(_board.c.game_id == game_id, _board.c.settings == settings)
    return (await connection.execute(query.order_by(_board.c.newest_id.desc()).limit(1))).one_or_none()


async def list_current_boards(connection: AsyncConnection, game_id: str | None = None) -> list[Row[Any]]:
    """Return the current boards (`game_id, settings, day, game_name, newest_id`), those just played on first."""
    name = func.coalesce(_game.c.config["name"].astext, _board.c.game_id).label("game_name")
    query = select(_board.c.id, _board.c.game_id, _board.c.settings, _board.c.day, _board.c.newest_id, name)
    query = query.join(_game, _game.c.id == _board.c.game_id).where(
        _IS_CURRENT, _board.c.day.is_(None), _game.c.alias_of.is_(None)
    )
    if game_id is not None:
        query = query.where(_board.c.game_id == game_id)
    return list(await connection.execute(query.order_by(_board.c.newest_id.desc()).limit(500)))


async def get_season(connection: AsyncConnection, board_id: str, season: str) -> Row[Any] | None:
    """Return the row of a season, or None if nobody ranked in it."""
    query = select(_season).where(_season.c.board_id == board_id, _season.c.season == season)
    return (await connection.execute(query)).one_or_none()


async def count_players(connection: AsyncConnection, board_id: str, season: str) -> int:
    """Return the number of ranked players."""
    query = select(func.count()).where(_standing.c.board_id == board_id, _standing.c.season == season)
    return (await connection.execute(query)).scalar_one()


async def list_standings(connection: AsyncConnection, board_id: str, season: str, limit: int) -> list[Standing]:
    """Return the first rows of a board in a season, best first."""
    query = (
        select(_standing, _player.c.name.label("current_name"))
        .join(_player, _player.c.user_id == _standing.c.user_id)
        .where(_standing.c.board_id == board_id, _standing.c.season == season)
        .order_by(*_ORDER)
        .limit(limit)
    )
    rows = (await connection.execute(query)).all()
    return [_make_standing(row, position) for position, row in enumerate(rows, 1)]


async def find_standing(connection: AsyncConnection, board_id: str, season: str, user_id: str) -> Standing | None:
    """Return a player's own row with its rank, or None if they do not rank."""
    query = select(_standing, _player.c.name.label("current_name"))
    query = query.join(_player, _player.c.user_id == _standing.c.user_id)
    key = (_standing.c.board_id == board_id, _standing.c.season == season)
    row = (await connection.execute(query.where(*key, _standing.c.user_id == user_id))).one_or_none()
    if row is None:
        return None
    if row.rank is not None:
        return _make_standing(row, row.rank)
    is_better = or_(
        _standing.c.score > row.score,
        and_(_standing.c.score == row.score, _standing.c.time_reached < row.time_reached),
        and_(
            _standing.c.score == row.score,
            _standing.c.time_reached == row.time_reached,
            _standing.c.episode_id < row.episode_id,
        ),
    )
    n_better = (await connection.execute(select(func.count()).where(*key, is_better))).scalar_one()
    return _make_standing(row, n_better + 1)


def _make_standing(row: Row[Any], position: int) -> Standing:
    return Standing(
        rank=row.rank or position,
        name=row.name or row.current_name,
        user_id=row.user_id,
        episode_id=row.episode_id,
        score=row.score,
        time_reached=row.time_reached,
    )


async def get_player(connection: AsyncConnection, user_id: str) -> Row[Any] | None:
    """Return the player's row, or None if they are on no leaderboard."""
    return (await connection.execute(select(_player).where(_player.c.user_id == user_id))).one_or_none()


async def get_entry(connection: AsyncConnection, episode_id: UUID) -> Row[Any] | None:
    """Return the judgement of an episode with `game_id, settings, day` of its board, or None if it has none."""
    query = select(_entry, _board.c.game_id, _board.c.settings, _board.c.day)
    query = query.outerjoin(_board, _board.c.id == _entry.c.board_id).where(_entry.c.episode_id == episode_id)
    return (await connection.execute(query)).one_or_none()


async def is_queued(connection: AsyncConnection, episode_id: UUID) -> bool:
    """Return whether an episode waits to be judged, or for its certificate."""
    has_certificate = exists().where(_certificate.c.episode_id == episode_id)
    is_waiting = exists().where(_queue.c.episode_id == episode_id)
    return (await connection.execute(select(or_(is_waiting, ~has_certificate)))).scalar_one()


async def is_on_board(connection: AsyncConnection, episode: Row[Any], viewer_id: str | None) -> bool:
    """Return whether anyone may watch an episode, because it is on a current board.

    Until the day of a daily challenge is over, only players who have had their try may watch, so that nobody can learn
    it by watching.
    """
    consented = exists().where(_episode.c.id == _standing.c.episode_id, is_allowed(BOARDS))
    query = (
        select(_board.c.day, func.date(func.timezone("UTC", func.now())).label("today"))
        .select_from(_standing)
        .join(_board, _board.c.id == _standing.c.board_id)
        .where(_standing.c.episode_id == episode.id, _IS_CURRENT, consented)
        .limit(1)
    )
    found = (await connection.execute(query)).one_or_none()
    if found is None:
        return False
    if found.day is None or found.day < found.today:
        return True
    return viewer_id is not None and await has_try(connection, viewer_id, found.day)


async def has_try(connection: AsyncConnection, user_id: str, day: date) -> bool:
    """Return whether a player has an ended try of a day's challenge."""
    query = exists().where(
        _episode.c.user_id == user_id,
        _episode.c.provenance["daily"].astext == day.isoformat(),
        _episode.c.time_ended.is_not(None),
    )
    return (await connection.execute(select(query))).scalar_one()
