"""A delivered segment's rows, in one transaction, once."""

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
    """How an episode ended. `score` None: unknown, the rewards on record count."""

    status: EpisodeStatus
    reason: str
    score: float | None
    time_ended: datetime


@dataclass(frozen=True, slots=True)
class SegmentRows:
    """All rows of one segment.

    `transitions` and `events` follow the columns above; `shown` are (step, microseconds) of transitions that an
    earlier segment delivered.
    """

    episode: dict[str, Any]
    segment: dict[str, Any]
    transitions: list[tuple[Any, ...]]
    events: list[tuple[Any, ...]]
    shown: list[tuple[int, int]]
    score: float
    outcome: EpisodeOutcome | None


async def write_segment_rows(engine: AsyncEngine, delivery: SegmentRows) -> bool:
    """Write a segment's rows in one transaction. False, and no change, when it was delivered before.

    Raises:
        PlayerErased: its player's account is gone, and so must be what was recorded.
    """
    async with engine.begin() as connection:
        if not await _claim_segment(connection, delivery):
            return False
        await _copy_rows(connection, "transition", TRANSITION_COLUMNS, delivery.transitions)
        await _copy_rows(connection, "event", EVENT_COLUMNS, delivery.events)
        if delivery.shown:
            await _update_paint_times(connection, delivery)
        await _advance_episode(connection, delivery)
    return True


async def _claim_segment(connection: AsyncConnection, delivery: SegmentRows) -> bool:
    """Write the segment's own row: whoever comes second waits for the first, and finds it there."""
    episode = delivery.episode
    await lock_user(connection, episode["user_id"])
    await connection.execute(insert(Game).values(id=episode["game_id"], config={}).on_conflict_do_nothing())
    await connection.execute(insert(Episode).values(**episode).on_conflict_do_nothing())
    claim = insert(Segment).values(**delivery.segment).on_conflict_do_nothing().returning(Segment.__table__.c.number)  # type: ignore[attr-defined]
    return (await connection.execute(claim)).first() is not None


async def _copy_rows(
    connection: AsyncConnection, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]
) -> None:
    if rows:
        raw = await connection.get_raw_connection()
        driver = raw.driver_connection
        assert driver is not None
        await driver.copy_records_to_table(table, records=rows, columns=columns)


async def _update_paint_times(connection: AsyncConnection, delivery: SegmentRows) -> None:
    """Fill in when observations of an earlier segment were painted: the page says so a moment later."""
    steps, times = zip(*delivery.shown, strict=True)
    seen = select(
        func.unnest(bindparam("steps", list(steps), ARRAY(Integer))).label("step"),
        func.unnest(bindparam("times", list(times), ARRAY(BigInteger))).label("shown_us"),
    ).subquery()
    transition = Transition.__table__  # type: ignore[attr-defined]
    await connection.execute(
        update(transition)
        .where(transition.c.episode_id == delivery.episode["id"], transition.c.step == seen.c.step)
        .values(shown_us=seen.c.shown_us)
    )


async def _advance_episode(connection: AsyncConnection, delivery: SegmentRows) -> None:
    table = Episode.__table__  # type: ignore[attr-defined]
    values: dict[str, Any] = {
        "n_steps": table.c.n_steps + len(delivery.transitions),
        "score": table.c.score + delivery.score,
        "time_updated": func.now(),
    }
    if (ending := delivery.outcome) is not None:
        values |= {"status": ending.status, "end_reason": ending.reason, "time_ended": ending.time_ended}
        if ending.score is not None:
            values["score"] = ending.score
    await connection.execute(update(table).where(table.c.id == delivery.episode["id"]).values(**values))
