"""Tests of the twelve queries of the docs against episodes with known answers."""

import asyncio
import csv
import re
from collections.abc import Iterator
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from devtools.paths import ROOT
from skill_arcade.storage.database import researcher_role as researcher
from skill_arcade.storage.database.queries import get_user, upsert_user
from skill_arcade.storage.database.views import VIEWS
from tests.conftest import fresh_database, opened_engine
from tests.support.study_data import TRIAL, episode_id, insert_plays

PAGE = (ROOT / "website" / "docs" / "questions.md").read_text()
QUESTIONS = {
    int(number): query
    for number, query in re.findall(r"^## (\d+)\..*?^```sql\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
}
B, H = "breakout", "tower-of-hanoi"
ANSWERS: dict[int, list[tuple[Any, ...]]] = {
    1: [(B, 5, 2, 30, D("0.1")), (H, 1, 1, 3, D("0.017"))],
    # Second episodes: ann 4, bob 6.
    2: [(B, 1, 2, 0.5, 1, 1.5), (B, 2, 2, 4.5, 5, 5.5), (B, 3, 1, 10, 10, 10), (H, 1, 1, 1, 1, 1)],
    3: [
        ("ann", 6, D("1.00"), 2),
        ("ann", 12, D("2.00"), 4),
        ("ann", 18, D("3.00"), 10),
        ("bob", 6, D("2.00"), 0),
        ("bob", 12, D("3.00"), 6),
    ],
    # Ann: 4 to 10 after 114 minutes; Bob: 0 to 6 after 58.
    4: [(B, 2, (114 + 58) / 120, 6)],
    # Mean and best of ann 2, 4, 10 (16/3) and of bob 0, 6 (3), random 1.7, human 30.5, 31.8, 27.9 and 864.
    5: [
        ("ann", B, "dqn-zoo", "45061f4", 3, D("0.126"), D("0.288")),
        ("ann", B, "human-starts", "rldb 8c471c4", 3, D("0.139"), D("0.317")),
        ("ann", B, "nature-2015", "rldb 8c471c4", 3, D("0.121"), D("0.276")),
        ("ann", B, "world-record", "arXiv 2010.02193 table K.1", 3, D("0.004"), D("0.010")),
        ("bob", B, "dqn-zoo", "45061f4", 2, D("0.045"), D("0.149")),
        ("bob", B, "human-starts", "rldb 8c471c4", 2, D("0.050"), D("0.164")),
        ("bob", B, "nature-2015", "rldb 8c471c4", 2, D("0.043"), D("0.143")),
        ("bob", B, "world-record", "arXiv 2010.02193 table K.1", 2, D("0.002"), D("0.005")),
    ],
    # Reward stimuli: ann 140 ms three times, bob 180 ms once. Bob's episode without score has only the start.
    6: [(B, "reward", 4, 140), (B, "start", 5, 30), (H, "info", 1, 70), (H, "start", 1, 15_000)],
    # Ann: 170 and 160 ms three times each. Bob: 170 and 120 twice each.
    7: [("ann", 6, 165, 170), ("bob", 4, 145, 170)],
    8: [
        (B, 0, 10, D("0.333"), D("2.00")),
        (B, 2, 14, D("0.467"), D("2.33")),
        (B, 3, 6, D("0.200"), D("3.00")),
        (H, 0, 1, D("0.333"), D("1.00")),
        (H, 1, 1, D("0.333"), D("1.00")),
        (H, 2, 1, D("0.333"), D("1.00")),
    ],
    # Ann: 4, 11 and 3 of 18. Bob: 6, 3 and 3 of 12. Cat: a third each.
    9: [("ann", B, D("1.347")), ("bob", B, D("1.500")), ("cat", H, D("1.585"))],
    # The newest certificate counts.
    10: [(episode_id(4), B, 6, 6), (episode_id(1), B, 4, 6), (episode_id(0), B, 2, 6), (episode_id(5), H, 1, 3)],
    11: [(episode_id(5), D("15"), 0)],
    12: [(B, 5, 4, 0.1), (H, 1, 1, 0.2)],
}


def test_questions_page_has_twelve_queries() -> None:
    assert sorted(QUESTIONS) == sorted(ANSWERS) == list(range(1, 13))


@pytest.fixture(scope="module")
def played(postgres: URL) -> Iterator[URL]:
    """Return a database with the episodes."""
    with fresh_database(postgres) as url:
        asyncio.run(fill(url))
        yield url


async def fill(url: URL) -> None:
    async with opened_engine(url) as engine, engine.begin() as connection:
        await insert_plays(connection)


@pytest.mark.anyio
@pytest.mark.parametrize("number", ANSWERS)
async def test_question_run_as_researcher_has_expected_answer(number: int, played: URL) -> None:
    async with opened_engine(played) as engine, engine.connect() as connection:
        await connection.execute(text(f"SET ROLE {researcher.ROLE}"))
        found = (await connection.execute(text(QUESTIONS[number].replace(":", r"\:")))).all()
    assert [tuple(row) for row in found] == [pytest.approx(row) for row in ANSWERS[number]]


async def read_everything(connection: AsyncConnection) -> dict[str, list[str]]:
    """Return the rows of every view, and the answer to every question."""
    queries = {name: f"SELECT * FROM {name}" for name in VIEWS} | {str(key): sql for key, sql in QUESTIONS.items()}
    rows = {name: await connection.execute(text(query.replace(":", r"\:"))) for name, query in queries.items()}
    return {name: sorted(map(str, found)) for name, found in rows.items()}


@pytest.mark.anyio
async def test_synthetic_player_is_counted_by_no_view_and_no_question(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await insert_plays(connection)
        with_bob = await read_everything(connection)
        await upsert_user(connection, "bob", "bob@example.org", is_synthetic=True)
        marked = await read_everything(connection)
        bobs = "(SELECT id FROM episode WHERE user_id = 'bob')"
        for table in ("certificate", "event", "transition", "segment"):
            await connection.execute(text(f"DELETE FROM {table} WHERE episode_id IN {bobs}"))
        await connection.execute(text("DELETE FROM episode WHERE user_id = 'bob'"))
        without_bob = await read_everything(connection)
        # A later sign-in of the same account does not make it a person.
        await upsert_user(connection, "bob", "bob@example.org")
        assert (await get_user(connection, "bob")).is_synthetic  # type: ignore[union-attr]
    assert marked == without_bob
    assert {name for name in VIEWS if with_bob[name] == marked[name]} == set()


@pytest.mark.anyio
async def test_study_episode_has_condition_stage_and_trial_of_episodes_in_studies_only(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await insert_plays(connection)
        rows = [row._asdict() for row in await connection.execute(text("SELECT * FROM study_episode ORDER BY 1"))]
    assert {row["player_id"] for row in rows} == {"bob"}
    condition = {key: rows[0][key] for key in ("study", "version", "arm", "sequence", "stage", "trial", "attempt")}
    assert condition == {key: TRIAL.get(key) for key in condition} | {"study": "ice"}
    assert {(row["is_practice"], row["is_excluded"]) for row in rows} == {(True, False)}
    left = next(row for row in rows if row["episode_id"] == episode_id(3))
    assert left["is_complete"] is False


@pytest.mark.anyio
async def test_episode_summary_has_expected_values(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await insert_plays(connection)
        query = text("SELECT * FROM episode_summary WHERE episode_id = :id")
        row = (await connection.execute(query, {"id": episode_id(3)})).one()._asdict()
    assert row["player_id"] == "bob"
    assert (row["return"], row["steps"], row["status"], row["end_reason"]) == (0, 6, "incomplete", "left")
    assert (row["duration_seconds"], row["certified"], row["dropped_frames"]) == (120, False, 1)
    assert (row["latency_p50_ms"], row["latency_p95_ms"]) == (145, 167.5)
    assert (row["device"], row["browser"], row["refresh_hz"]) == ("keyboard", "Firefox 140", 60)
    assert (row["mode"], row["incident"]) == ("streamed", None)


@pytest.mark.anyio
async def test_learning_curve_starts_session_after_break(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await insert_plays(connection)
        query = text(
            "SELECT session_index, gap_seconds FROM learning_curve WHERE player_id = 'ann' ORDER BY episode_index"
        )
        assert (await connection.execute(query)).all() == [(1, None), (1, 240), (2, 6840)]


@pytest.mark.anyio
async def test_baseline_tables_contain_all_published_scores(engine: AsyncEngine) -> None:
    file = Path(researcher.__file__).parent / "baselines" / "atari_1.csv"
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    async with engine.connect() as connection:
        stored = (await connection.execute(text("SELECT source_id, environment_id, random, human FROM baseline"))).all()
        assert (await connection.execute(text("SELECT count(*) FROM baseline_source"))).scalar() == 4
    columns = {
        "dqn-zoo": "human",
        "nature-2015": "human_nature2015_noop",
        "human-starts": "human_human_starts",
        "world-record": "human_world_record",
    }
    expected = {
        (source, row["ale_v5_id"], float(row["random"]), float(row[column]))
        for row in rows
        for source, column in columns.items()
        if row[column]
    }
    assert set(map(tuple, stored)) == expected
    assert len(rows) == 57
    assert len(stored) == 57 + 49 + 57 + 55


@pytest.mark.anyio
async def test_human_normalised_score_of_human_return_is_one(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await insert_plays(connection)
        for source in ("dqn-zoo", "nature-2015", "human-starts", "world-record"):
            for column, expected in (("human", 1), ("random", 0)):
                await connection.execute(
                    text(
                        f"UPDATE episode SET score = (SELECT {column} FROM baseline "
                        "WHERE source_id = :source AND environment_id = 'ALE/Breakout-v5')"
                    ),
                    {"source": source},
                )
                query = text("SELECT DISTINCT normalised FROM human_normalised_score WHERE source = :source")
                assert (await connection.execute(query, {"source": source})).scalars().all() == [expected]
