"""The notebooks run on recorded play, and are stored without outputs."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from tests.readers.recordings import record_games
from tests.support.database import fresh_database, opened_engine
from tests.support.study_data import insert_plays

NOTEBOOKS = sorted((Path(__file__).parents[2] / "examples").glob("*.ipynb"))
RUN = """
import json, sys
names = {"__name__": "__main__"}
for cell in json.load(open(sys.argv[1]))["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
"""
"""Runs the cells as a kernel does, without its display of last expressions, in the folder of outputs."""
ELSEWHERE = "study"
"""A notebook that `tests/web/test_study_pilot.py` runs on what a pilot has left."""
EXPECTED = {
    "cloning": (r"steps of play", r"accuracy ", r"clone "),
    "learning_curves": (r"episodes of ", r"players have at least 10 scores"),
    "reaction_times": (r"presses after a stimulus", r"ann .*keyboard"),
}


@pytest.fixture(scope="module")
def played(postgres: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Variables of an arcade with play of CartPole, learners and reactions."""
    home = tmp_path_factory.mktemp("notebooks")
    with fresh_database(postgres) as url:
        record_games(url, home, ["cart-pole"], steps=200, has_odd=False)

        async def write() -> None:
            async with opened_engine(url) as engine, engine.begin() as connection:
                await insert_plays(connection)

        asyncio.run(write())
        yield {
            "SKILL_ARCADE_HOME": str(home),
            "DATABASE_URL": url.render_as_string(hide_password=False),
            "MPLBACKEND": "Agg",
            "MPLCONFIGDIR": str(home),
        }


def test_every_notebook_is_run() -> None:
    assert {notebook.stem for notebook in NOTEBOOKS} == EXPECTED.keys() | {ELSEWHERE}


@pytest.mark.parametrize(
    "notebook", [one for one in NOTEBOOKS if one.stem != ELSEWHERE], ids=lambda notebook: notebook.stem
)
def test_notebook_runs_on_recorded_play(notebook: Path, played: dict[str, str], tmp_path: Path) -> None:
    environment = os.environ | played | {"PYTHONPATH": f"{Path.cwd()}:{notebook.parent}"}
    command = [sys.executable, "-W", "error", "-c", RUN, str(notebook)]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for pattern in EXPECTED[notebook.stem]:
        assert re.search(pattern, done.stdout), done.stdout
    assert (tmp_path / f"{notebook.stem}.png").stat().st_size > 1000


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_notebook_is_stored_without_outputs(notebook: Path) -> None:
    stored: dict[str, Any] = json.loads(notebook.read_text())
    assert (stored["nbformat"], stored["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in stored["cells"]]
    assert len(ids) == len(set(ids))
    for cell in stored["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None), cell["id"]
    assert notebook.read_text() == json.dumps(stored, indent=1, ensure_ascii=False) + "\n"
