"""Tests of the flags of quality: each is counted and left out, and duplicates are found in whatever order."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.research.answers import answer_chart
from skill_arcade.research.flags import FLAG_REASONS, FLAGS
from skill_arcade.research.selection import Selection
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.episode_measures import list_unmeasured, measure_episodes
from skill_arcade.storage.database.erasures import erase_episode
from skill_arcade.storage.objects.disk import DiskObjects
from tests.support.board_data import add_episode

OBJECTS = DiskObjects(Path("/nonexistent"))
"""No episode of these tests is archived."""
START = datetime(2026, 3, 2, 12, tzinfo=UTC)
FAULTS = {
    "mismatch": None,
    "dropped": "dropped_frames = 2",
    "late": "missed_ticks = 2",
    "latency": "latency_p95_ms = 200.1",
    "focus": "focus_losses = 1",
    "idle": "idle_seconds = 30.1",
    "slow": "active_speed = 0.89",
    "rejected": "incident = 'early'",
    "quarantined": "quarantined_segments = 1",
    "duplicate": "is_duplicate = true",
}
CLEAN = (
    "steps = 100, dropped_frames = 1, missed_ticks = 1, latency_p95_ms = 200, focus_losses = 0, idle_seconds = 30, "
    "active_speed = 0.9, incident = NULL, quarantined_segments = 0"
)
"""The greatest values that no flag doubts."""


async def measure_all(connection: AsyncConnection) -> None:
    await measure_episodes(connection, OBJECTS, await list_unmeasured(connection, 100))


async def find_duplicates(connection: AsyncConnection) -> list[UUID]:
    query = text("SELECT episode_id FROM episode_measure WHERE is_duplicate ORDER BY episode_id")
    return list((await connection.execute(query)).scalars())


async def add_certificate(connection: AsyncConnection, episode: UUID, result: str, minute: int) -> None:
    statement = text(
        "INSERT INTO certificate (episode_id, time_created, result, reason, n_steps, seconds, versions) "
        "VALUES (:id, now() + :minute * interval '1 min', :result, '', 100, 1, '{}')"
    )
    await connection.execute(statement, {"id": episode, "minute": minute, "result": result})


@pytest.mark.anyio
@pytest.mark.parametrize("flag", FLAGS)
async def test_episode_with_one_flag_is_counted_and_left_out(flag: str, engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        clean, faulty = [await add_episode(connection, user, 1.0) for user in ("ada", "bob")]
        await measure_all(connection)
        await connection.execute(text(f"UPDATE episode_measure SET {CLEAN}"))
        if (fault := FAULTS[flag]) is not None:
            await connection.execute(text(f"UPDATE episode_measure SET {fault} WHERE episode_id = '{faulty}'"))
        else:
            await add_certificate(connection, clean, "damaged", 1)
            await add_certificate(connection, clean, "certified", 2)
            await add_certificate(connection, faulty, "certified", 1)
            await add_certificate(connection, faulty, "mismatch", 2)
    async with transaction(engine) as connection:
        kept = await answer_chart(connection, "flags", Selection())
        without = await answer_chart(connection, "flags", Selection(flagged="leave-out"))
    assert {row["flag"]: row["episodes"] for row in kept.rows} == {name: int(name == flag) for name in FLAGS}
    assert [row["reason"] for row in kept.rows] == [FLAG_REASONS[name] for name in FLAGS]
    assert (kept.episodes, without.episodes, without.left_out) == (2, 1, 1)


@pytest.mark.anyio
async def test_later_episode_with_equal_seed_and_actions_is_a_duplicate(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        played = (("pong", 100), ("pong", 100), ("pong", 100), ("lake", 100), ("pong", 99), ("pong", 99))
        ids = [
            await add_episode(connection, "ada", 1.0, game=game, n_steps=n, at=START + timedelta(minutes=minute))
            for minute, (game, n) in enumerate(played)
        ]
        await measure_episodes(connection, OBJECTS, ids[1:])
        assert await find_duplicates(connection) == [ids[2]]
        # The first one is measured last, as after an upload that came late.
        await measure_all(connection)
        assert await find_duplicates(connection) == [ids[1], ids[2]]
        await erase_episode(connection, ids[0])
        assert await find_duplicates(connection) == [ids[2]]
