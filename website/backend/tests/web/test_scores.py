"""Scores that are NaN or infinite survive every HTTP route, view and command, and JSON stays strict."""

import json
import math
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from devtools.paths import ROOT
from skill_arcade.storage.database.played_games import count_played
from skill_arcade.storage.database.queries import list_episodes
from skill_arcade.storage.database.segment_writer import SegmentRows, write_segment_rows
from skill_arcade.wire.numbers import write_number
from tests.support.study_data import NOON, Press, StudyEpisode, episode_id, insert_plays
from tests.web.conftest import Visitor

pytestmark = pytest.mark.anyio
NAN, INF = float("nan"), float("inf")
REWARDS = [[1.0, 2.0], [NAN, 1.0], [INF, 1.0], [-INF, 1.0], [INF, -INF]]
"""The scores are 3, NaN, Infinity, -Infinity and NaN."""
WRITTEN = [3.0, "NaN", "Infinity", "-Infinity", "NaN"]


def read_strictly(answer: httpx.Response) -> Any:
    """Parse JSON and accept no NaN, which other languages reject."""
    assert answer.status_code == 200, answer.text

    def reject(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(answer.text, parse_constant=reject)


async def insert(engine: AsyncEngine, player: str) -> None:
    presses = [Press(0, 30_000, 1)]
    plays = [
        StudyEpisode(player, "breakout", index, [0, 1], rewards, presses=presses)
        for index, rewards in enumerate(REWARDS)
    ]
    async with engine.begin() as connection:
        await insert_plays(connection, plays)


@pytest.fixture
async def headers(arcade: Visitor) -> dict[str, str]:
    """Headers of a user whose episodes have these scores."""
    object.__setattr__(arcade.state.settings, "researcher_emails", ("ann@example.org",))
    await insert(arcade.state.engine, arcade.state.tokens.user_id("ann@example.org"))
    async with arcade.state.engine.begin() as connection:
        await connection.execute(text("UPDATE \"user\" SET email = 'ann@example.org' WHERE NOT is_synthetic"))
    return await arcade.sign_in("ann@example.org")


def test_write_number_names_what_json_does_not_have() -> None:
    assert [write_number(value) for value in (1.5, -0.0, NAN, INF, -INF)] == [1.5, -0.0, "NaN", "Infinity", "-Infinity"]
    assert math.isnan(float("NaN"))


async def test_me_episodes_with_non_finite_scores_names_them(arcade: Visitor, headers: dict[str, str]) -> None:
    episodes = read_strictly(await arcade.http.get("/me/episodes", headers=headers))
    assert [episode["score"] for episode in reversed(episodes)] == WRITTEN


async def test_episode_with_non_finite_score_names_it(arcade: Visitor, headers: dict[str, str]) -> None:
    for index, expected in enumerate(WRITTEN):
        episode = read_strictly(await arcade.http.get(f"/episodes/{episode_id(index)}", headers=headers))
        assert episode["score"] == expected


async def test_me_summary_best_score_is_never_nan(arcade: Visitor, headers: dict[str, str]) -> None:
    summary = read_strictly(await arcade.http.get("/me/summary", headers=headers))
    assert [game["best"] for game in summary["games"]] == ["Infinity"]
    async with arcade.state.engine.begin() as connection:
        await connection.execute(text("DELETE FROM certificate WHERE episode_id = :id"), {"id": episode_id(2)})
    summary = read_strictly(await arcade.http.get("/me/summary", headers=headers))
    assert [game["best"] for game in summary["games"]] == [3.0]


async def test_research_games_with_non_finite_scores_is_answered(arcade: Visitor, headers: dict[str, str]) -> None:
    [game] = read_strictly(await arcade.http.get("/research/games", headers=headers))
    assert (game["episodes"], game["steps"]) == (5, 10)


async def test_views_and_queries_of_the_docs_survive_non_finite_scores(engine: AsyncEngine) -> None:
    await insert(engine, "ann")
    page = (ROOT / "website" / "docs" / "reading.md").read_text()
    query = page[page.index("SELECT game_id, count(*) AS episodes") :].partition("```")[0]
    async with engine.connect() as connection:
        [row] = await connection.execute(text(query))
        assert (row.best, row.mean, row.steps) == (3, 3, 10)
        for view in ("episode_summary", "learning_curve", "human_normalised_score"):
            rows = (await connection.execute(text(f"SELECT return FROM {view} ORDER BY episode_id"))).scalars().all()
            assert sum(math.isnan(value) for value in rows) * 5 == 2 * len(rows)
        listed = await list_episodes(connection)
        assert [f"{item.score:g}" for item in listed] == ["nan", "-inf", "inf", "nan", "3"]
        [played] = await count_played(connection, "ann")
        assert played.best == INF


async def test_score_that_exceeds_a_float_is_stored_as_infinity(engine: AsyncEngine) -> None:
    await insert(engine, "ann")
    times = {"time_created": NOON, "seed": 7, "environment": {}, "provenance": {}, "reset_info": {}}
    times |= {"consent_id": None, "agent_version_id": None}
    episode = {"id": episode_id(0), "user_id": "ann", "game_id": "breakout", "n_steps": 0, "score": 0.0, **times}
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE episode SET score = 1.7e308 WHERE id = :id"), {"id": episode_id(0)})
    segment = {"episode_id": episode_id(0), "number": 9, "first_step": 2, "n_steps": 0, "n_frames": 0, "n_bytes": 0}
    stored = await write_segment_rows(
        engine,
        SegmentRows(
            episode=episode,
            segment={**segment, "objects": {}},
            transitions=[],
            events=[],
            shown=[],
            score=1.7e308,
            outcome=None,
        ),
    )
    assert stored
    async with engine.connect() as connection:
        score = (
            await connection.execute(text("SELECT score FROM episode WHERE id = :id"), {"id": episode_id(0)})
        ).scalar_one()
    assert score == INF
