"""The page for R: its lines give the right table in R, and name files and columns that an export has."""

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest

from tests.export.conftest import Export, Exported

PAGE = Path(__file__).parents[3] / "docs" / "r.md"


def read_lines() -> tuple[str, str]:
    """Return the lines for tables, and those for observations."""
    tables, observations = re.findall(r"```r\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return tables, observations


def count_actions(exported: Exported) -> Counter[tuple[str, int]]:
    """Return the number of steps by game and action."""
    return Counter((one.game_id, action) for one in exported.episodes for action in one.actions.tolist())


def has_r() -> bool:
    """Return whether R and the packages of the page are installed."""
    if (program := shutil.which("Rscript")) is None:
        return False
    load = "library(nanoparquet); library(dplyr)"
    return subprocess.run([program, "-e", load], capture_output=True, check=False).returncode == 0


@pytest.mark.may_skip(reason="R is not among the programs of CI")
def test_lines_for_r_run_in_r_count_actions(export: Export, tmp_path: Path) -> None:
    if not has_r():
        pytest.skip("R with nanoparquet and dplyr is not installed")
    exported = export("tables")
    *lines, table = read_lines()[0].replace("FOLDER", str(exported.folder)).strip().splitlines()
    script = tmp_path / "lines.R"
    show = 'cat(paste(result$game_id, result$action, result$n), sep = "\\n")'
    script.write_text("\n".join([*lines, f"result <- {table}", show, ""]))
    done = subprocess.run(["Rscript", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert {(game, int(action)): int(n) for game, action, n in rows} == count_actions(exported)


def test_lines_for_r_name_folders_and_columns_of_an_export(export: Export) -> None:
    lines, exported = read_lines()[0], export("tables")
    episodes_path, steps_path = re.findall(r'read_folder\("FOLDER/(.*?)"\)', lines)
    (key, action), (by,) = re.findall(r"count\(steps, (\w+), (\w+)\)", lines)[0], re.findall(r'by = "(\w+)"', lines)
    counted = re.findall(r"\|> count\((\w+), (\w+), wt = n\)", lines)[0]
    steps = pads.dataset(exported.folder / steps_path, format="parquet").to_table(columns=[key, action])
    episodes = pads.dataset(exported.folder / episodes_path, format="parquet").to_table(columns=[by, counted[0]])
    joined = steps.group_by([key, action]).aggregate([([], "count_all")]).join(episodes, by)
    table = joined.group_by(list(counted)).aggregate([("count_all", "sum")]).to_pylist()
    assert {(row["game_id"], row["action"]): row["count_all_sum"] for row in table} == count_actions(exported)


def test_lines_for_observations_name_files_and_columns_of_an_export(export: Export) -> None:
    lines, exported = read_lines()[1], export("parquet")
    (episodes_path,) = re.findall(r'read_parquet\("FOLDER/(.*?)"\)', lines)
    (steps_path,) = re.findall(r'open_dataset\("FOLDER/(.*?)"\)', lines)
    (selected,) = re.findall(r"select\((.*?)\)", lines)
    # As `open_dataset` does: the schema of the first file, and of the others the selected columns only.
    steps = pads.dataset(exported.folder / steps_path, format="parquet").to_table(columns=selected.split(", "))
    assert steps.num_rows == sum(len(one.actions) + 1 for one in exported.episodes)
    columns = pq.read_schema(exported.folder / episodes_path).names
    for name in ("return", "device", "environment", "study"):
        assert name in PAGE.read_text()
        assert name in columns


def test_columns_that_the_page_names_are_in_an_export(export: Export) -> None:
    folder = export("tables").folder
    summary = pads.dataset(folder / "episode_summary", format="parquet").schema.names
    for name in ("player_id", "game_id", "time_created"):
        assert name in PAGE.read_text()
        assert name in summary
    assert "info" in pads.dataset(folder / "transition", format="parquet").schema.names
    assert "data" in pads.dataset(folder / "event", format="parquet").schema.names
