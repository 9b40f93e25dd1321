"""The example of the page runs as written, on recorded episodes."""

import asyncio
import re

import pytest
from sqlalchemy import URL

from devtools.paths import ROOT
from tests.support.database import opened_engine
from tests.support.study_data import Press, StudyEpisode, insert_plays

PAGE = (ROOT / "website" / "docs" / "analysis.md").read_text()
N_EPISODES = 30
STEP_AT = 12
PRESSES = [Press(0, 30_000, 0)]


async def record_step_learner(url: URL) -> None:
    """Insert a player who scores 2 for twelve episodes and 9 from then on, and one with too few episodes."""
    plays = [
        StudyEpisode("ann", "breakout", number, [0], [2.0 if number < STEP_AT else 9.0], presses=PRESSES)
        for number in range(N_EPISODES)
    ]
    async with opened_engine(url) as engine, engine.begin() as connection:
        await insert_plays(connection, [*plays, StudyEpisode("bob", "breakout", 0, [0], [5.0])])


def test_example_of_analysis_page_names_the_law(
    database_url: URL, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(record_step_learner(database_url))
    monkeypatch.setenv("DATABASE_URL", database_url.render_as_string(hide_password=False))
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    exec(compile(example, "analysis.md", "exec"), {})
    assert capsys.readouterr().out == "ann step noise/gain 0.00\n"
