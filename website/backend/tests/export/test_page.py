"""What the page on publishing says can be asked of an export, asked of one."""

import math
import re
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from devtools.paths import ROOT
from tests.export.conftest import Arcade, Export

PAGE = (ROOT / "website" / "docs" / "publish.md").read_text()
START = (ROOT / "website" / "docs" / "start.md").read_text()
QUERIES = re.findall(r"^```sql\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_duckdb_counts_what_the_arrays_say(export: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    made = export("parquet")
    monkeypatch.chdir(made.folder)
    actions = Counter((one.game_id, int(action)) for one in made.episodes for action in one.actions)
    found = duckdb.connect().execute(QUERIES[0]).fetchall()
    assert found == [(game, action, count) for (game, action), count in sorted(actions.items())]


def test_duckdb_and_postgres_agree_on_latency(export: Export, arcade: Arcade, monkeypatch: pytest.MonkeyPatch) -> None:
    made = export("parquet", "game_id = 'breakout'")
    monkeypatch.chdir(made.folder)
    ((game, inputs, median),) = duckdb.connect().execute(QUERIES[1]).fetchall()
    assert (game, inputs) == (
        "breakout",
        sum(len({us for us in one.times["input_us"] if not math.isnan(us)}) for one in made.episodes),
    )
    lows, highs = zip(
        *((one.summary["latency_p50_ms"], one.summary["latency_p95_ms"]) for one in made.episodes), strict=True
    )
    assert min(lows) <= median <= max(highs)


def test_the_first_page_runs_as_written(arcade: Arcade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(arcade.settings.skill_arcade_home))
    monkeypatch.setenv("DATABASE_URL", str(arcade.settings.database_url))
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.chdir(tmp_path)
    made: dict[str, list[float]] = {}
    for example in re.findall(r"^   ```python\n(.*?)^   ```", START, re.MULTILINE | re.DOTALL):
        exec(compile(re.sub("^   ", "", example, flags=re.MULTILINE), "start.md", "exec"), made)
    assert (tmp_path / "learning.png").read_bytes().startswith(b"\x89PNG")
    assert (len(made["returns"]), len(made["minutes"])) == (2, 2)
