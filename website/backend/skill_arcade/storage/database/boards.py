"""Queries that write leaderboards: queue, entries, standings, seasons, players. The caller owns the transaction."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, delete, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import NotFound
from skill_arcade.storage.database.tables import Table

_table = Table.metadata.tables
_episode, _certificate = _table["episode"], _table["certificate"]
_board, _season, _player = _table["board"], _table["board_season"], _table["board_player"]
_queue, _entry, _standing = _table["board_queue"], _table["board_entry"], _table["board_standing"]
HIDDEN, ACCEPTED = "hidden", "accepted"
_IS_VISIBLE: ColumnElement[bool] = and_(
    _entry.c.rejection.is_(None), _entry.c.review.is_distinct_from(HIDDEN), _entry.c.board_id.is_not(None)
)


async def enqueue_episode(connection: AsyncConnection, episode_id: UUID) -> None:
    """Request that an episode is judged, if its player is on leaderboards."""
    listed = select(_episode.c.id).where(
        _episode.c.id == episode_id, exists().where(_player.c.user_id == _episode.c.user_id)
    )
    await connection.execute(insert(_queue).from_select(["episode_id"], listed).on_conflict_do_nothing())


async def enqueue_user(connection: AsyncConnection, user_id: str) -> None:
    """Request that all certified episodes of a player are judged."""
    certified = select(_episode.c.id).where(
        _episode.c.user_id == user_id,
        _episode.c.time_ended.is_not(None),
        exists().where(_certificate.c.episode_id == _episode.c.id),
    )
    await connection.execute(insert(_queue).from_select(["episode_id"], certified).on_conflict_do_nothing())


async def enqueue_later_tries(connection: AsyncConnection, user_id: str, day: str, episode_id: UUID) -> None:
    """Request that the player's later tries of a day's challenge are judged again: they are no first tries."""
    later = select(_episode.c.id).where(
        _episode.c.user_id == user_id,
        _episode.c.provenance["daily"].astext == day,
        _episode.c.id > episode_id,
        exists().where(_entry.c.episode_id == _episode.c.id, _entry.c.rejection.is_(None)),
    )
    await connection.execute(insert(_queue).from_select(["episode_id"], later).on_conflict_do_nothing())


async def next_queued(connection: AsyncConnection) -> UUID | None:
    """Lock and return the oldest episode in the queue that no other process has locked; None: there is none."""
    query = select(_queue.c.episode_id).where(_queue.c.time_created <= func.now()).order_by(_queue.c.time_created)
    found: UUID | None = (await connection.execute(query.limit(1).with_for_update(skip_locked=True))).scalar()
    return found


async def remove_from_queue(connection: AsyncConnection, episode_id: UUID) -> None:
    """Remove an episode that was judged."""
    await connection.execute(delete(_queue).where(_queue.c.episode_id == episode_id))


async def postpone(connection: AsyncConnection, episode_id: UUID, delay: timedelta) -> None:
    """Put an episode that could not be judged back to the queue, for later."""
    later = func.now() + literal(delay)
    await connection.execute(update(_queue).where(_queue.c.episode_id == episode_id).values(time_created=later))


async def lock_player(connection: AsyncConnection, user_id: str) -> Row[Any] | None:
    """Return the player's row, or None if they are on no leaderboard. An opt-out waits for the transaction's end."""
    query = select(_player).where(_player.c.user_id == user_id).with_for_update(read=True)
    return (await connection.execute(query)).one_or_none()


async def upsert_board(connection: AsyncConnection, values: dict[str, Any]) -> None:
    """Insert a board, or note that a newer episode ranks on it."""
    statement = insert(_board).values(**values)
    newest = func.greatest(_board.c.newest_id, statement.excluded.newest_id)
    await connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"newest_id": newest}))


async def upsert_entry(connection: AsyncConnection, values: dict[str, Any]) -> str | None:
    """Write the judgement of an episode, and keep a review. Return the board that it was on before, or None."""
    before = select(_entry.c.board_id).where(_entry.c.episode_id == values["episode_id"])
    old_board: str | None = (await connection.execute(before)).scalar()
    statement = insert(_entry).values(**values)
    changed = {name: statement.excluded[name] for name in values if name not in ("episode_id", "user_id")}
    await connection.execute(statement.on_conflict_do_update(index_elements=["episode_id"], set_=changed))
    return old_board


async def update_standing(
    connection: AsyncConnection,
    board_id: str,
    user_id: str,
    season: str,
    bounds: tuple[datetime | None, datetime | None],
) -> None:
    """Set a player's standing in a season to their best visible entry, or delete it if there is none.

    A frozen season gets no new row; a row whose entry is not visible any more is deleted there too.
    """
    begin, end = bounds
    values = {"board_id": board_id, "season": season, "time_ends": end}
    await connection.execute(insert(_season).values(**values).on_conflict_do_nothing())
    locked = select(_season.c.time_frozen).where(_season.c.board_id == board_id, _season.c.season == season)
    is_frozen = (await connection.execute(locked.with_for_update(read=True))).scalar_one() is not None
    own = (_standing.c.board_id == board_id, _standing.c.season == season, _standing.c.user_id == user_id)
    visible = [_entry.c.board_id == board_id, _entry.c.user_id == user_id, _IS_VISIBLE]
    if is_frozen:
        still_visible = exists().where(_entry.c.episode_id == _standing.c.episode_id, *visible)
        await connection.execute(delete(_standing).where(*own, ~still_visible))
        return
    # The challenge of a day is one season, whatever the time of the end.
    is_daily = (await connection.execute(select(_board.c.day).where(_board.c.id == board_id))).scalar_one() is not None
    if not is_daily:
        visible += [_entry.c.time_ended >= begin] if begin else []
        visible += [_entry.c.time_ended < end] if end else []
    best = (
        select(_entry.c.episode_id, _entry.c.score, _entry.c.time_ended)
        .where(*visible)
        .order_by(_entry.c.score.desc(), _entry.c.time_ended, _entry.c.episode_id)
        .limit(1)
    )
    row = (await connection.execute(best)).one_or_none()
    if row is None:
        await connection.execute(delete(_standing).where(*own))
        return
    statement = insert(_standing).values(
        board_id=board_id,
        season=season,
        user_id=user_id,
        episode_id=row.episode_id,
        score=row.score,
        time_reached=row.time_ended,
    )
    changed = {name: statement.excluded[name] for name in ("episode_id", "score", "time_reached")}
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["board_id", "season", "user_id"], set_=changed)
    )


async def freeze_seasons(connection: AsyncConnection, ended_before: datetime) -> int:
    """Fix ranks and names of the seasons that ended before this moment. Return the number of seasons."""
    due = select(_season.c.board_id, _season.c.season).where(
        _season.c.time_frozen.is_(None), _season.c.time_ends < ended_before
    )
    seasons = (await connection.execute(due.limit(100).with_for_update(skip_locked=True))).all()
    for board_id, season in seasons:
        in_season = (_standing.c.board_id == board_id, _standing.c.season == season)
        order = (_standing.c.score.desc(), _standing.c.time_reached, _standing.c.episode_id)
        ranked = (
            select(_standing.c.user_id, func.row_number().over(order_by=order).label("rank"), _player.c.name)
            .join(_player, _player.c.user_id == _standing.c.user_id)
            .where(*in_season)
            .subquery()
        )
        fixed = update(_standing).where(*in_season, _standing.c.user_id == ranked.c.user_id)
        result = await connection.execute(fixed.values(rank=ranked.c.rank, name=ranked.c.name))
        this_season = (_season.c.board_id == board_id, _season.c.season == season)
        frozen = update(_season).where(*this_season)
        await connection.execute(frozen.values(time_frozen=func.now(), n_players=result.rowcount))
    return len(seasons)


async def add_player(connection: AsyncConnection, user_id: str, name: str, skeleton: str, *, is_chosen: bool) -> bool:
    """Put a player on leaderboards, or change their name. Return False, without a change, if the name is taken."""
    taken = exists().where(or_(_player.c.name == name, _player.c.skeleton == skeleton), _player.c.user_id != user_id)
    if (await connection.execute(select(taken))).scalar_one():
        return False
    values = {"name": name, "skeleton": skeleton, "is_chosen": is_chosen}
    current = update(_player).where(_player.c.user_id == user_id)
    if (await connection.execute(current.values(**values, n_reports=0))).rowcount:
        return True
    statement = insert(_player).values(user_id=user_id, **values).on_conflict_do_nothing()
    return bool((await connection.execute(statement)).rowcount)


async def remove_player(connection: AsyncConnection, user_id: str) -> None:
    """Take a player off all leaderboards, frozen seasons too. Entries that a maintainer has hidden stay hidden."""
    await connection.execute(delete(_player).where(_player.c.user_id == user_id))
    own_episodes = select(_episode.c.id).where(_episode.c.user_id == user_id)
    await connection.execute(delete(_queue).where(_queue.c.episode_id.in_(own_episodes)))
    await connection.execute(delete(_standing).where(_standing.c.user_id == user_id))
    visible = (_entry.c.user_id == user_id, _entry.c.review.is_distinct_from(HIDDEN))
    await connection.execute(delete(_entry).where(*visible))


async def report_name(connection: AsyncConnection, episode_id: UUID) -> None:
    """Count a report of the name that an entry is shown with. Raises NotFound."""
    owner = select(_standing.c.user_id).where(_standing.c.episode_id == episode_id).limit(1).scalar_subquery()
    statement = update(_player).where(_player.c.user_id == owner, _player.c.is_chosen)
    if not (await connection.execute(statement.values(n_reports=_player.c.n_reports + 1))).rowcount:
        raise NotFound("This entry is on no board any more, or its name was given by the arcade.")


async def reset_name(connection: AsyncConnection, user_id: str, name: str) -> None:
    """Replace a player's name on open and frozen boards by a neutral one that nobody has."""
    renamed = update(_player).where(_player.c.user_id == user_id)
    await connection.execute(renamed.values(name=name, skeleton=name, is_chosen=False, n_reports=0))
    frozen = update(_standing).where(_standing.c.user_id == user_id, _standing.c.name.is_not(None))
    await connection.execute(frozen.values(name=name))


async def accept_name(connection: AsyncConnection, user_id: str) -> None:
    """Discard the reports of a player's name."""
    await connection.execute(update(_player).where(_player.c.user_id == user_id).values(n_reports=0))


async def list_reviewable(connection: AsyncConnection, limit: int) -> list[Row[Any]]:
    """Return ranked entries that have signals or a reported name and no decision, the oldest first."""
    is_flagged = and_(func.jsonb_array_length(_entry.c.signals) > 0, _entry.c.review.is_(None))
    query = (
        select(
            _entry.c.episode_id,
            _entry.c.board_id,
            _entry.c.score,
            _entry.c.time_ended,
            _entry.c.signals,
            _player.c.name,
            _player.c.n_reports,
        )
        .join(_player, _player.c.user_id == _entry.c.user_id)
        .where(_IS_VISIBLE, or_(is_flagged, _player.c.n_reports > 0))
        .order_by(_entry.c.time_ended)
        .limit(limit)
    )
    return list(await connection.execute(query))


async def find_entry(connection: AsyncConnection, prefix: str) -> Row[Any]:
    """Return the entry whose episode id begins with `prefix`. Raises NotFound if there is none or are several."""
    text = func.replace(_entry.c.episode_id.cast(_player.c.name.type), "-", "")
    query = select(_entry).where(text.like(f"{prefix.replace('-', '').replace('%', '')}%")).limit(2)
    rows = (await connection.execute(query)).all()
    if len(rows) != 1:
        raise NotFound(
            f"{'No entry has' if not rows else 'Several entries have'} an episode id that begins {prefix!r}."
        )
    return rows[0]


async def review_entry(connection: AsyncConnection, episode_id: UUID, decision: str, reason: str) -> None:
    """Store the decision on an entry. The caller updates the standings."""
    decided = update(_entry).where(_entry.c.episode_id == episode_id)
    await connection.execute(decided.values(review=decision, review_reason=reason, time_reviewed=func.now()))
