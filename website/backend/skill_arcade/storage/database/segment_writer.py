"""Writes the rows of a segment in one transaction. Writing a segment is idempotent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Integer, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.storage.database.erasures import lock_user
from skill_arcade.storage.database.tables import Episode, EpisodeStatus, Game, Segment, Transition

TRANSITION_COLUMNS = (
    "id",
    "episode_id",
    "step",
    "obs_key",
    "action",
    "reward",
    "next_obs_key",
    "terminated",
    "truncated",
    "info",
    "time_created",
    "server_us",
    "late_us",
    "shown_us",
    "input_us",
    "input_received_us",
    "input_frame",
    "stepped_us",
)
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

    `transitions` and `events` have the columns `TRANSITION_COLUMNS` and `EVENT_COLUMNS`. `shown` has pairs of step and
    paint time (microseconds, browser clock) of transitions in an earlier segment. `outcome` is None unless the segment
    ends the episode.
    """

    episode: dict[str, Any]
    segment: dict[str, Any]
    transitions: list[tuple[Any, ...]]
    events: list[tuple[Any, ...]]
    shown: list[tuple[int, int]]
    score: float
    outcome: EpisodeOutcome | None


async def write_segment_rows(engine: AsyncEngine, rows: SegmentRows) -> bool:
    """Write a segment's rows in one transaction. Return False, without a change, if they are already stored.

    Raises:
        AccountErased: the player's account was erased; the caller then deletes the recording.
    """
    async with engine.begin() as connection:
        if not await _claim_segment(connection, rows):
            return False
        await _copy_rows(connection, "transition", TRANSITION_COLUMNS, rows.transitions)
        await _copy_rows(connection, "event", EVENT_COLUMNS, rows.events)
        if rows.shown:
            await _update_paint_times(connection, rows)
        await _advance_episode(connection, rows)
    return True


async def _claim_segment(connection: AsyncConnection, rows: SegmentRows) -> bool:
    """Insert the segment's own row. Of two concurrent writers the second waits, and then finds the row."""
    episode = rows.episode
    await lock_user(connection, episode["user_id"])
    await connection.execute(insert(Game).values(id=episode["game_id"], config={}).on_conflict_do_nothing())
    await connection.execute(insert(Episode).values(**episode).on_conflict_do_nothing())
    claim = insert(Segment).values(**rows.segment).on_conflict_do_nothing().returning(Segment.__table__.c.number)  # type: ignore[attr-defined]
    return (await connection.execute(claim)).first() is not None


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
    transition = Transition.__table__  # type: ignore[attr-defined]
    await connection.execute(
        update(transition)
        .where(transition.c.episode_id == rows.episode["id"], transition.c.step == painted.c.step)
        .values(shown_us=painted.c.shown_us)
    )


async def _advance_episode(connection: AsyncConnection, rows: SegmentRows) -> None:
    table = Episode.__table__  # type: ignore[attr-defined]
    # The sum is made here, because Postgres rejects one that exceeds a float instead of making it infinite.
    before = select(table.c.score).where(table.c.id == rows.episode["id"]).with_for_update()
    values: dict[str, Any] = {
        "n_steps": table.c.n_steps + len(rows.transitions),
        "score": (await connection.execute(before)).scalar_one() + rows.score,
        "time_updated": func.now(),
    }
    if (outcome := rows.outcome) is not None:
        values |= {"status": outcome.status, "end_reason": outcome.reason, "time_ended": outcome.time_ended}
        if outcome.score is not None:
            values["score"] = outcome.score
    await connection.execute(update(table).where(table.c.id == rows.episode["id"]).values(**values))
