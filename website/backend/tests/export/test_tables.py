"""Tables of an export, in DuckDB: the rows that Postgres has, and the answers that it gives."""

import asyncio
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
from skill_arcade.export.episode_facts import pseudonym
from skill_arcade.export.formats import FormatName
from skill_arcade.export.run import export_part, finish_export, open_plan
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
def asked(postgres: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int], list[Any]]]:
    """A question of the docs, asked of tables of the play whose answers are known; ids are those of the play."""
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
            real = {pseudonym(plan.key, "player", name): name for name in NAMES}
            ids = [str(episode_id(number)) for number in range(6)]
            real |= {pseudonym(plan.key, "episode", id_): id_ for id_ in ids}
            finish_export(plan, folder)
    with open_tables(folder) as connection:
        yield lambda number: [
            tuple(real.get(value, value) if isinstance(value, str) else value for value in row)
            for row in connection.execute(QUESTIONS[number]).fetchall()
        ]


@pytest.mark.parametrize("number", QUESTIONS)
def test_duckdb_answers_as_postgres_does(number: int, asked: Callable[[int], list[Any]]) -> None:
    found, wanted = ([[plain(value) for value in row] for row in rows] for rows in (asked(number), ANSWERS[number]))
    # Pseudonyms sort in another way than names do.
    assert sorted(found, key=repr) == sorted(wanted, key=repr)


def plain(value: Any) -> Any:
    """A number is a number, to what two databases make of it."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return str(value)
    return round(float(value), 6)


def test_tables_hold_every_row_and_nobodys_name(export: Export) -> None:
    made = export("tables")
    with open_tables(made.folder) as connection:
        rows = connection.execute(
            "SELECT e.seed, t.step, t.action, t.reward, t.terminated, t.shown_us, t.info FROM transition t "
            "JOIN episode_summary e USING (episode_id)"
        ).fetchall()
        events = connection.execute("SELECT count(*) FROM event").fetchone()
    wanted = [
        (one.seed, step, one.actions[step], one.rewards[step], one.terminations[step], one.times["shown_us"][step])
        for one in made.episodes
        for step in range(len(one))
    ]
    found = [(*row[:5], math.nan if row[5] is None else row[5]) for row in rows]
    assert repr(sorted(tuple(map(float, row)) for row in found)) == repr(
        sorted(tuple(map(float, row)) for row in wanted)
    )
    assert events == (sum(len(one.events) for one in made.episodes),)
    data = b"".join(file.read_bytes() for file in made.folder.rglob("*") if file.is_file())
    assert not re.search(rb"somebody@|test-browser", data)
    assert all(str(one.id).encode() not in data for one in made.episodes)
