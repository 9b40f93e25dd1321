"""Test of the size of a transition, of which each player creates 60 per second."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import URL

from skill_arcade.ids import new_episode_id, transition_id
from skill_arcade.storage.database.transition_columns import COLUMN_NAMES

pytestmark = pytest.mark.anyio

SEGMENT, SEGMENTS, PLAYERS = 300, 12, 8


def transition(episode: UUID, step: int, started: datetime) -> tuple[Any, ...]:
    """Return a row of a 60 Hz game: every fifth frame was not painted, and `info` changes every 600 steps."""
    us = step * 16_667 + step * 7919 % 900
    segment, index = divmod(step, SEGMENT)
    next_key = f"{segment}/{index + (segment == 0)}"
    key = f"{(step - 1) // SEGMENT}/{(step - 1) % SEGMENT + (step <= SEGMENT)}" if step else "0/0"
    shown = None if step % 5 == 0 else 1_000_000_000 + us + 9_000
    row = {
        **{"id": transition_id(episode, step), "episode_id": episode, "step": step},
        **{"obs_key": key, "next_obs_key": next_key, "action": step % 4, "reward": float(step % 97 == 0)},
        **{"terminated": False, "truncated": False, "info": '{"lives": 4}' if step % 600 == 0 else None},
        **{"time_created": started + timedelta(microseconds=us), "server_us": us, "late_us": step % 900},
        **{"shown_us": shown, "input_us": 1_000_000_000 + us - 30_000, "input_received_us": us - 12_000},
        **{"input_frame": step, "stepped_us": None},
    }
    return tuple(row[name] for name in COLUMN_NAMES)


async def test_transition_with_concurrent_episodes_takes_at_most_250_bytes(database_url: URL) -> None:
    url = database_url.query
    connection = await asyncpg.connect(
        host=url["host"], port=int(str(url["port"])), user="postgres", database=database_url.database
    )
    await connection.execute("INSERT INTO \"user\" (id) VALUES ('u'); INSERT INTO game (id) VALUES ('g')")
    started = datetime.now(UTC)
    episodes = [new_episode_id(1_763_800_000_000 + 777 * i) for i in range(PLAYERS)]
    await connection.executemany(
        "INSERT INTO episode (id, user_id, game_id, seed, time_created) VALUES ($1, 'u', 'g', 1, now())",
        [(episode,) for episode in episodes],
    )
    for first in range(0, SEGMENT * SEGMENTS, SEGMENT):
        for episode in episodes:
            rows = [transition(episode, step, started) for step in range(first, first + SEGMENT)]
            await connection.copy_records_to_table("transition", records=rows, columns=COLUMN_NAMES)
    total = await connection.fetchval("SELECT pg_total_relation_size('transition')")
    await connection.close()
    assert total / (PLAYERS * SEGMENT * SEGMENTS) <= 250
