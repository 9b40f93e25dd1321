"""The page for R names files and columns that an export has. R itself is not installed: pyarrow reads the same."""

import re
from collections import Counter
from pathlib import Path

import pyarrow.dataset as pads
import pyarrow.parquet as pq

from tests.export.conftest import Export

PAGE = Path(__file__).parents[3] / "docs" / "r.md"


def test_lines_for_r_name_files_and_columns_of_an_export(export: Export) -> None:
    (lines,) = re.findall(r"```r\n(.*?)```", PAGE.read_text(), re.DOTALL)
    exported = export("parquet")
    (episodes_path,) = re.findall(r'read_parquet\("FOLDER/(.*?)"\)', lines)
    (steps_path,) = re.findall(r'open_dataset\("FOLDER/(.*?)"\)', lines)
    (selected,) = re.findall(r"select\((.*?)\)", lines)
    (counted,) = re.findall(r"\|> count\((\w+, \w+), wt = n\)", lines)
    # As `open_dataset` does: the schema of the first file, and of the others the selected columns only.
    steps = pads.dataset(exported.folder / steps_path, format="parquet").to_table(columns=selected.split(", "))
    episodes = pq.read_table(exported.folder / episodes_path)
    played = (
        steps.filter(pads.field("action").is_valid()).group_by(["episode", "action"]).aggregate([([], "count_all")])
    )
    joined = played.join(episodes.select(["episode", "game_id"]), "episode")
    table = joined.group_by(counted.split(", ")).aggregate([("count_all", "sum")]).to_pylist()
    expected = Counter((one.game_id, action) for one in exported.episodes for action in one.actions.tolist())
    assert {(row["game_id"], row["action"]): row["count_all_sum"] for row in table} == expected


def test_columns_that_the_page_names_are_in_an_export(export: Export) -> None:
    columns = pq.read_schema(export("parquet").folder / "episodes.parquet").names
    for name in ("return", "device", "environment", "study", "player_id", "game_id", "time_created"):
        assert name in PAGE.read_text()
        assert name in columns
