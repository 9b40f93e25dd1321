"""Archived episodes are exported with the same bytes and certified; the twelve questions have the same answers."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, text

import skill_arcade.dataset as sa
from skill_arcade.certify.rerun import rerun_episode
from skill_arcade.export.duckdb_views import open_duckdb
from skill_arcade.export.formats import FormatName
from skill_arcade.export.plan import Plan
from skill_arcade.export.run import export_part, finish_export, open_plan, write_plan
from skill_arcade.storage.database.tables import CertificateResult
from skill_arcade.storage.objects.disk import DiskObjects
from tests.conftest import fresh_database, opened_engine
from tests.export.conftest import fill
from tests.export.test_tables import comparable
from tests.research.test_questions import ANSWERS, QUESTIONS
from tests.support.archive import archive_all, count_rows
from tests.support.study_data import insert_plays

FORMATS = (FormatName.parquet, FormatName.tables, FormatName.minari, FormatName.hf)
"""Formats that are compared: the four ways of reading rows. All others are built from the same arrays."""


def export_all(dataset: sa.Dataset, folder: Path, plans: dict[FormatName, Plan]) -> dict[str, bytes]:
    """Export in all `FORMATS` with these plans, which are made if they are missing. Return the files."""
    found: dict[str, bytes] = {}
    for name in FORMATS:
        place = folder / name
        if name in plans:
            write_plan(plans[name], place)
        plan = plans[name] = open_plan(dataset, name, None, place)
        for part in plan.parts:
            export_part(dataset, plan, part, place)
        finish_export(plan, place)
        found |= {
            f"{name}/{path.relative_to(place)}": path.read_bytes()
            for path in place.rglob("*")
            if path.is_file() and path.suffix != ".h5"
        }
    return found


@pytest.fixture(scope="module")
def recorded(postgres: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[URL, Path]]:
    home = tmp_path_factory.mktemp("archived")
    with fresh_database(postgres) as url:
        asyncio.run(fill(url, home))
        yield url, home


def archive(url: URL, objects: Path) -> int:
    async def run() -> int:
        async with opened_engine(url) as engine:
            await archive_all(engine, DiskObjects(objects))
            return await count_rows(engine)

    return asyncio.run(run())


def test_archived_episodes_are_exported_with_the_same_bytes_and_certified(
    recorded: tuple[URL, Path], tmp_path: Path
) -> None:
    url, home = recorded

    async def certify() -> None:
        async with opened_engine(url) as engine, engine.begin() as connection:
            await connection.execute(
                text(
                    "INSERT INTO certificate (episode_id, result, reason, n_steps, seconds, versions) "
                    "SELECT id, 'certified', '', n_steps, 1, '{}' FROM episode"
                )
            )

    asyncio.run(certify())
    plans: dict[FormatName, Plan] = {}
    with sa.open(url.render_as_string(hide_password=False), home / "objects") as dataset:
        before = export_all(dataset, tmp_path / "before", plans)
        assert archive(url, home / "objects") == 0
        after = export_all(dataset, tmp_path / "after", plans)
        verdicts = {rerun_episode(episode).result for episode in dataset.episodes()}
        changes = [change for episode in dataset.episodes() for change in episode.find_changes()]
    assert sorted(after) == sorted(before)
    assert [name for name in before if after[name] != before[name]] == []
    assert len(before) > 20
    assert (verdicts, changes) == ({CertificateResult.certified}, [])


@pytest.fixture(scope="module")
def ask(postgres: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, int], list[Any]]]:
    """Return a function that runs a query of the docs in DuckDB, before and after archiving."""
    folder = tmp_path_factory.mktemp("questions")

    async def insert(url: URL) -> None:
        async with opened_engine(url) as engine, engine.begin() as connection:
            await insert_plays(connection)

    with fresh_database(postgres) as url:
        asyncio.run(insert(url))
        answers: dict[tuple[str, int], list[Any]] = {}
        with sa.open(url.render_as_string(hide_password=False), folder / "objects") as dataset:
            for state in ("before", "after"):
                if state == "after":
                    # Bob's episodes are those of a study, and the one that he left has no certificate.
                    assert archive(url, folder / "objects") == 12
                with open_duckdb(dataset, folder / "copies") as connection:
                    for number, query in QUESTIONS.items():
                        answers[state, number] = connection.execute(query).fetchall()
                    archived = list((folder / "copies" / "archive").iterdir())
                    assert len(archived) == (state == "after")
        shutil.rmtree(folder / "copies")
        yield lambda state, number: answers[state, number]


@pytest.mark.parametrize("state", ["before", "after"])
@pytest.mark.parametrize("number", QUESTIONS)
def test_question_in_duckdb_has_the_same_answer_before_and_after_archiving(
    state: str, number: int, ask: Callable[[str, int], list[Any]]
) -> None:
    actual, expected = (
        [[comparable(value) for value in row] for row in rows] for rows in (ask(state, number), ANSWERS[number])
    )
    assert actual == expected
