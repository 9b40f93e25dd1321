"""Tests of the examples on the pages about publishing and about the first steps."""

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


def test_duckdb_counts_equal_arrays(export: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    exported = export("parquet")
    monkeypatch.chdir(exported.folder)
    actions = Counter((one.game_id, int(action)) for one in exported.episodes for action in one.actions)
    found = duckdb.connect().execute(QUERIES[0]).fetchall()
    assert found == [(game, action, count) for (game, action), count in sorted(actions.items())]


def test_latency_in_duckdb_equals_postgres(export: Export, arcade: Arcade, monkeypatch: pytest.MonkeyPatch) -> None:
    exported = export("parquet", "game_id = 'breakout'")
    monkeypatch.chdir(exported.folder)
    ((game, inputs, median),) = duckdb.connect().execute(QUERIES[1]).fetchall()
    assert (game, inputs) == (
        "breakout",
        sum(len({us for us in one.times["input_us"] if not math.isnan(us)}) for one in exported.episodes),
    )
    lows, highs = zip(
        *((one.summary["latency_p50_ms"], one.summary["latency_p95_ms"]) for one in exported.episodes), strict=True
    )
    assert min(lows) <= median <= max(highs)


def test_example_of_start_page_runs(arcade: Arcade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(arcade.settings.skill_arcade_home))
    monkeypatch.setenv("DATABASE_URL", str(arcade.settings.database_url))
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.chdir(tmp_path)
    exported: dict[str, list[float]] = {}
    for example in re.findall(r"^   ```python\n(.*?)^   ```", START, re.MULTILINE | re.DOTALL):
        exec(compile(re.sub("^   ", "", example, flags=re.MULTILINE), "start.md", "exec"), exported)
    assert (tmp_path / "learning.png").read_bytes().startswith(b"\x89PNG")
    assert (len(exported["returns"]), len(exported["minutes"])) == (2, 2)
