"""Writes the rows of a segment in one transaction. Writing a segment is idempotent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Integer, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.storage.database.agents import check_references
from skill_arcade.storage.database.erasures import lock_user
from skill_arcade.storage.database.provisional_ends import SERVER_LOST, take_back_end
from skill_arcade.storage.database.tables import Episode, EpisodeStatus, Game, Segment, Transition
from skill_arcade.storage.database.transition_columns import COLUMN_NAMES
from skill_arcade.storage.database.work import WorkKind, request_work

CONTINUATION_PERIOD = timedelta(seconds=60)
"""Time after which an episode whose server stopped is certified, if no other server has continued it."""
MAX_IDLE_SECONDS = 5
"""Time without a statement after which Postgres rolls the transaction of a segment back. The upload is retried."""
EVENT_COLUMNS = ("episode_id", "number", "kind", "server_us", "client_us", "step", "data")


@dataclass(frozen=True, slots=True)
class EpisodeOutcome:
    """The end of an episode. `score` is None if it is unknown; the sum of the stored rewards then counts."""

    status: EpisodeStatus
    reason: str
    score: float | None
    time_ended: datetime


@dataclass(frozen=True, slots=True)
class SegmentRows:
    """All rows of one segment.

    `transitions` and `events` have the columns `COLUMN_NAMES` and `EVENT_COLUMNS`. `shown` has pairs of step and
    paint time (microseconds, browser clock) of transitions in an earlier segment. `outcome` is None unless the segment
    ends the episode, which is provisional if it is handed over. `fence` is that of the lease under which the segment's
    server continued the episode, 0 for its first server. `is_handed_over`: the segment is the last one of its server,
    and another one may continue.
    """

    episode: dict[str, Any]
    segment: dict[str, Any]
    transitions: list[tuple[Any, ...]]
    events: list[tuple[Any, ...]]
    shown: list[tuple[int, int]]
    score: float
    outcome: EpisodeOutcome | None
    fence: int = 0
    is_handed_over: bool = False


class SegmentSuperseded(Exception):
    """Another server has continued the episode without this segment, so that it is no part of it (rule R27)."""


async def write_segment_rows(engine: AsyncEngine, rows: SegmentRows) -> bool:
    """Write a segment's rows in one transaction. Return False, without a change, if they are already stored.

    Raises:
        AccountErased, ConsentWithdrawn: the player does not allow it any more; the caller then deletes the recording.
        SegmentSuperseded: another server has continued the episode without it.
    """
    async with engine.begin() as connection:
        # The lock of a server that is frozen meanwhile would keep others from continuing the episode (rule O27).
        await connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{MAX_IDLE_SECONDS}s'"))
        if not await _claim_segment(connection, rows):
            return False
        score = await _lock_episode(connection, rows)
        await _copy_rows(connection, "transition", COLUMN_NAMES, rows.transitions)
        await _copy_rows(connection, "event", EVENT_COLUMNS, rows.events)
        if rows.shown:
            await _update_paint_times(connection, rows)
        await _advance_episode(connection, rows, score)
    return True


async def _claim_segment(connection: AsyncConnection, rows: SegmentRows) -> bool:
    """Insert the segment's own row. Of two concurrent writers the second waits, and then finds the row."""
    await lock_user(connection, rows.episode["user_id"])
    episode = await check_references(connection, rows.episode)
    await connection.execute(insert(Game).values(id=episode["game_id"], config={}).on_conflict_do_nothing())
    await connection.execute(insert(Episode).values(**episode).on_conflict_do_nothing())
    table = Segment.__table__  # type: ignore[attr-defined]
    claim = insert(Segment).values(**rows.segment).on_conflict_do_nothing().returning(table.c.number)
    if (await connection.execute(claim)).first() is not None:
        return True
    key = (table.c.episode_id == episode["id"]) & (table.c.number == rows.segment["number"])
    stored = await connection.scalar(select(table.c.objects).where(key))
    # The number may be that of a segment of the server that continued the episode; their objects differ.
    if stored != rows.segment["objects"] and await _is_superseded(connection, rows):
        raise SegmentSuperseded
    return False


async def _is_superseded(connection: AsyncConnection, rows: SegmentRows) -> bool:
    table = Episode.__table__  # type: ignore[attr-defined]
    fence = await connection.scalar(select(table.c.fence).where(table.c.id == rows.episode["id"]))
    return fence is not None and rows.fence < fence


async def _lock_episode(connection: AsyncConnection, rows: SegmentRows) -> float:
    """Lock the episode's row, take a provisional end back (rule R24), and return the score so far."""
    episode_id, table = rows.episode["id"], Episode.__table__  # type: ignore[attr-defined]
    query = select(table.c.score, table.c.end_reason, table.c.fence).where(table.c.id == episode_id).with_for_update()
    score, end_reason, fence = (await connection.execute(query)).one()
    if rows.fence < fence:
        raise SegmentSuperseded
    if end_reason == SERVER_LOST:
        await take_back_end(connection, episode_id)
    return float(score)


async def _copy_rows(
    connection: AsyncConnection, table: str, columns: tuple[str, ...], records: list[tuple[Any, ...]]
) -> None:
    if records:
        raw = await connection.get_raw_connection()
        driver = raw.driver_connection
        assert driver is not None
        await driver.copy_records_to_table(table, records=records, columns=columns)


async def _update_paint_times(connection: AsyncConnection, rows: SegmentRows) -> None:
    """Update the paint times of an earlier segment's transitions: the browser reports them after a delay."""
    steps, times = zip(*rows.shown, strict=True)
    painted = select(
        func.unnest(bindparam("steps", list(steps), ARRAY(Integer))).label("step"),
        func.unnest(bindparam("times", list(times), ARRAY(BigInteger))).label("shown_us"),
    ).subquery()
    await connection.execute(
        update(Transition)
        .where(Transition.c.episode_id == rows.episode["id"], Transition.c.step == painted.c.step)
        .values(shown_us=painted.c.shown_us)
    )


async def _advance_episode(connection: AsyncConnection, rows: SegmentRows, score: float) -> None:
    table = Episode.__table__  # type: ignore[attr-defined]
    values: dict[str, Any] = {
        "n_steps": table.c.n_steps + len(rows.transitions),
        # The sum is made here, because Postgres rejects one that exceeds a float instead of making it infinite.
        "score": score + rows.score,
        "time_updated": func.now(),
    }
    if rows.is_handed_over:
        values["time_handed_over"] = func.now()
    if (outcome := rows.outcome) is not None:
        values |= {"status": outcome.status, "end_reason": outcome.reason, "time_ended": outcome.time_ended}
        if outcome.score is not None:
            values["score"] = outcome.score
    await connection.execute(update(table).where(table.c.id == rows.episode["id"]).values(**values))
    if rows.outcome is not None:
        delay = CONTINUATION_PERIOD if rows.is_handed_over else timedelta()
        await request_work(connection, WorkKind.CERTIFY, str(rows.episode["id"]), delay=delay)
