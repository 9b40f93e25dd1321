"""Tests of exported tables in DuckDB: they have the rows of Postgres and give the same answers."""

import asyncio
import csv
import json
import math
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import URL

import skill_arcade.dataset as sa
from skill_arcade.export import tables
from skill_arcade.export.formats import FormatName
from skill_arcade.export.run import export_part, finish_export, open_plan
from skill_arcade.storage.database.dataset_versions import make_pseudonym
from tests.conftest import fresh_database, opened_engine
from tests.export.conftest import Export
from tests.research.test_questions import ANSWERS, QUESTIONS
from tests.support.study_data import episode_id, insert_plays

NAMES = {"ann", "bob", "cat"}


def open_tables(folder: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute((folder / "views.sql").read_text().replace("read_parquet('", f"read_parquet('{folder}/"))
    return connection


@pytest.fixture(scope="module")
def run_question(postgres: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int], list[Any]]]:
    """Return a function that runs a query of the docs on tables of episodes with known answers, with their real ids."""
    folder = tmp_path_factory.mktemp("tables") / "out"

    async def fill(url: URL) -> None:
        async with opened_engine(url) as engine, engine.begin() as connection:
            await insert_plays(connection)

    with fresh_database(postgres) as url:
        asyncio.run(fill(url))
        with sa.open(url.render_as_string(hide_password=False), folder) as dataset:
            plan = open_plan(dataset, FormatName.tables, None, folder)
            for part in plan.parts:
                export_part(dataset, plan, part, folder)
            real = {make_pseudonym(plan.key, "player", name): name for name in NAMES}
            ids = [str(episode_id(number)) for number in range(6)]
            real |= {make_pseudonym(plan.key, "episode", id_): id_ for id_ in ids}
            finish_export(plan, folder)
    with open_tables(folder) as connection:
        yield lambda number: [
            tuple(real.get(value, value) if isinstance(value, str) else value for value in row)
            for row in connection.execute(QUESTIONS[number]).fetchall()
        ]


@pytest.mark.parametrize("number", QUESTIONS)
def test_question_in_duckdb_has_answers_of_postgres(number: int, run_question: Callable[[int], list[Any]]) -> None:
    actual, expected = (
        [[comparable(value) for value in row] for row in rows] for rows in (run_question(number), ANSWERS[number])
    )
    # Pseudonyms sort differently from names.
    assert sorted(actual, key=repr) == sorted(expected, key=repr)


def comparable(value: Any) -> Any:
    """Convert a value to a type that is the same for both databases."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return str(value)
    return round(float(value), 6)


def test_tables_contain_all_rows_under_pseudonyms(export: Export) -> None:
    exported = export("tables")
    with open_tables(exported.folder) as connection:
        rows = connection.execute(
            "SELECT e.seed, t.step, t.action, t.reward, t.terminated, t.shown_us, t.info FROM transition t "
            "JOIN episode_summary e USING (episode_id)"
        ).fetchall()
        events = connection.execute("SELECT count(*) FROM event").fetchone()
    expected = [
        (
            episode.seed,
            step,
            episode.actions[step],
            episode.rewards[step],
            episode.terminations[step],
            episode.times["shown_us"][step],
        )
        for episode in exported.episodes
        for step in range(len(episode))
    ]
    actual = [(*row[:5], math.nan if row[5] is None else row[5]) for row in rows]
    assert repr(sorted(tuple(map(float, row)) for row in actual)) == repr(
        sorted(tuple(map(float, row)) for row in expected)
    )
    assert events == (sum(len(episode.events) for episode in exported.episodes),)
    data = b"".join(file.read_bytes() for file in exported.folder.rglob("*") if file.is_file())
    assert not re.search(rb"somebody@|test-browser", data)
    assert all(str(episode.id).encode() not in data for episode in exported.episodes)


def test_rows_larger_than_a_block_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MIN_BLOCK_BYTES", 64)
    info = json.dumps({"grid": "x" * 10_000})
    with (tmp_path / "rows.csv").open("w", newline="") as file:
        csv.writer(file).writerows([[number, info if number == 50 else ""] for number in range(100)])
    found = tables.read_copied(tmp_path / "rows.csv", {"step": "int64", "info": "string"}).read_all()
    assert found["step"].to_pylist() == list(range(100))
    assert found["info"][50].as_py() == info
