"""Episodes are counted by variant: former ids of a game count on, and other variants count for themselves."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.storage.database.queries import upsert_aliases, upsert_games, upsert_user
from skill_arcade.storage.database.tables import Table
from skill_arcade.web.lifespan import describe_aliases, describe_games
from tests.support.study_data import NOON, episode_id

pytestmark = pytest.mark.anyio
PLAYS: list[tuple[str, dict[str, str]]] = [
    ("frozen-lake-8x8", {}),  # as recorded before it became a value of an option
    ("frozen-lake", {}),
    ("frozen-lake", {"map": "8x8"}),
    ("breakout", {"mode": "4"}),
    ("breakout", {}),
]


async def insert_plays(connection: AsyncConnection) -> None:
    catalogue = load_catalogue()
    await upsert_user(connection, "ann", "ann@example.org")
    await upsert_games(connection, describe_games(catalogue))
    await upsert_aliases(connection, describe_aliases(catalogue))
    rows: list[dict[str, Any]] = [
        {
            "id": episode_id(number),
            "user_id": "ann",
            "game_id": game,
            "seed": 1,
            "n_steps": 10,
            "score": 1.0,
            "status": "lost",
            "end_reason": "terminated",
            "environment": {"id": "E"},
            "provenance": {"options": options},
            "reset_info": {},
            "time_created": NOON + timedelta(minutes=5 * number),
            "time_ended": NOON + timedelta(minutes=5 * number + 1),
        }
        for number, (game, options) in enumerate(PLAYS)
    ]
    await connection.execute(insert(Table.metadata.tables["episode"]), rows)


async def test_learning_curve_counts_former_id_with_its_variant(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await insert_plays(connection)
        query = text("SELECT variant, episode_index, game_id, gap_seconds FROM learning_curve ORDER BY 1, 2")
        found = [tuple(row) for row in await connection.execute(query)]
    assert found == [
        ("breakout", 1, "breakout", None),
        ("breakout", 2, "breakout", 240),
        ("frozen-lake", 1, "frozen-lake", None),
        ("frozen-lake?map=8x8", 1, "frozen-lake-8x8", None),
        ("frozen-lake?map=8x8", 2, "frozen-lake", 540),
    ]


async def test_episode_summary_names_the_variant_by_its_present_id(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await insert_plays(connection)
        query = text("SELECT variant FROM episode_summary ORDER BY time_created")
        variants = list((await connection.execute(query)).scalars())
    assert variants == ["frozen-lake?map=8x8", "frozen-lake", "frozen-lake?map=8x8", "breakout", "breakout"]
