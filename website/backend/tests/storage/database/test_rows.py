"""Rows stay lean: there are sixty a second for each player."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import URL

from skill_arcade.ids import new_episode_id, transition_id
from skill_arcade.storage.database.tables import Table

pytestmark = pytest.mark.anyio

SEGMENT, SEGMENTS, PLAYERS = 300, 12, 8
COLUMNS = list(Table.metadata.tables["transition"].columns.keys())


def transition(episode: UUID, step: int, started: datetime) -> tuple[Any, ...]:
    """A row as a game at 60 Hz leaves it: every fifth frame was never shown, lives change now and then."""
    us = step * 16_667 + step * 7919 % 900
    segment, index = divmod(step, SEGMENT)
    place = f"{segment}/{index + (segment == 0)}"
    before = f"{(step - 1) // SEGMENT}/{(step - 1) % SEGMENT + (step <= SEGMENT)}" if step else "0/0"
    shown = None if step % 5 == 0 else 1_000_000_000 + us + 9_000
    paced = (None, step % 900)  # by the server, this late
    times = (started + timedelta(microseconds=us), us, shown, 1_000_000_000 + us - 30_000, us - 12_000, *paced)
    info = '{"lives": 4}' if step % 600 == 0 else None
    ids = (transition_id(episode, step), episode, step)
    return (*ids, step % 4, float(step % 97 == 0), *times, step, False, False, before, place, info)


async def test_a_transition_with_its_index_takes_at_most_250_bytes_while_many_play(database_url: URL) -> None:
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
            await connection.copy_records_to_table("transition", records=rows, columns=COLUMNS)
    total = await connection.fetchval("SELECT pg_total_relation_size('transition')")
    await connection.close()
    assert total / (PLAYERS * SEGMENT * SEGMENTS) <= 250
