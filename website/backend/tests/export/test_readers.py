"""Tests that the libraries which the exports are for load the values of the source, also of odd environments."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

import skill_arcade.dataset as sa
from devtools.paths import BACKEND
from skill_arcade.export.formats import FormatName
from skill_arcade.export.run import ENDED_SQL, export_parts, finish_export, list_left_out, open_plan
from skill_arcade.settings import Settings
from tests.conftest import fresh_database
from tests.readers.recordings import REPRESENTATIVE_GAMES, record_games
from tests.readers.source import write_sources
from tests.support.exported_env import CASES

GROUPS = [*REPRESENTATIVE_GAMES, *(f"odd-{case.lower()}" for case in CASES)]


@dataclass(frozen=True, slots=True)
class ReadExport:
    """An export, the source values, and the episodes that were left out: group to reason."""

    folder: Path
    sources: Path
    left_out: dict[str, str]

    def read(self, reader: str, groups: list[str]) -> dict[str, dict[str, int | str]]:
        """Run a reader in a process of its own; return its result for each group."""
        command = [sys.executable, "-m", f"readers.read_{reader}", str(self.folder), str(self.sources), *groups]
        # Like in the environments of other libraries, in which `tests` may be another package.
        run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=BACKEND / "tests")
        results = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
        assert len(results) == len(groups), run.stderr[-2000:]
        return {result.pop("group"): result for result in results}


@pytest.fixture(scope="module")
def export_all(postgres: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[FormatName], ReadExport]]:
    """Return a function that exports all recorded games in a format, once for all tests, which only read it."""
    home, sources = tmp_path_factory.mktemp("readers"), tmp_path_factory.mktemp("sources")
    with fresh_database(postgres) as url:
        record_games(url, home, REPRESENTATIVE_GAMES)
        settings = Settings(skill_arcade_home=home, database_url=url.render_as_string(hide_password=False))
        with sa.open(settings=settings) as dataset:
            write_sources(dataset.episodes(where=ENDED_SQL), sources)

            @cache
            def export(format_: FormatName) -> ReadExport:
                out = tmp_path_factory.mktemp(str(format_)) / "out"
                plan = open_plan(dataset, format_, None, out)
                list(export_parts(settings, plan, out, jobs=1))
                left_out = {entry["group"]: entry["reason"] for entry in list_left_out(plan, out)}
                finish_export(plan, out)
                return ReadExport(out, sources, left_out)

            yield export


def test_minari_loads_all_games_with_values_of_source(export_all: Callable[[FormatName], ReadExport]) -> None:
    exported = export_all(FormatName.minari)
    assert list(exported.left_out) == ["odd-wrongbox"]
    assert "has the shape (3,); its space declares Box" in exported.left_out["odd-wrongbox"]
    results = exported.read("minari", [group for group in GROUPS if group != "odd-wrongbox"])
    assert [result for result in results.items() if "error" in result[1]] == []


def test_minari_export_names_packages_of_environment(export_all: Callable[[FormatName], ReadExport]) -> None:
    exported = export_all(FormatName.minari)
    found = {
        group: json.loads((exported.folder / f"skill-arcade/{group}/human-v0/data/metadata.json").read_text())
        for group in ("breakout", "minigrid-door-key", "tower-of-hanoi")
    }
    names = {group: {one.partition("==")[0] for one in data["requirements"]} for group, data in found.items()}
    assert names == {
        "breakout": {"ale-py", "gymnasium"},
        "minigrid-door-key": {"gymnasium", "minigrid"},
        "tower-of-hanoi": {"gymnasium", "skill-arcade"},
    }


def test_datasets_loads_all_games_with_values_of_source(export_all: Callable[[FormatName], ReadExport]) -> None:
    exported = export_all(FormatName.hf)
    assert exported.left_out == {}
    results = exported.read("hf", GROUPS)
    assert [result for result in results.items() if "error" in result[1]] == []
    described = json.loads((exported.folder / "croissant.json").read_text())
    assert {one["name"] for one in described["recordSet"]} == {*GROUPS, "episodes"}


def test_pyarrow_and_duckdb_load_all_games_with_values_of_source(
    export_all: Callable[[FormatName], ReadExport],
) -> None:
    exported = export_all(FormatName.parquet)
    assert exported.left_out == {}
    results = exported.read("parquet", GROUPS)
    assert [result for result in results.items() if "error" in result[1]] == []


def test_rlds_declares_types_of_observations_and_keeps_key_picture(
    export_all: Callable[[FormatName], ReadExport],
) -> None:
    exported = export_all(FormatName.rlds)

    def read_features(group: str) -> Any:
        features = json.loads((exported.folder / group / "1.0.0/features.json").read_text())
        for name in ("steps", "sequence", "feature", "observation", "featuresDict", "features"):
            features = features.get(name) or features["featuresDict"]["features"][name]
        return features

    tensors = {name: one.get("tensor") for name, one in read_features("odd-dtypes").items()}
    found = {name: (one["dtype"], one["encoding"]) for name, one in tensors.items() if one}
    assert found == {
        "half": ("float16", "bytes"),
        "complex": ("complex64", "bytes"),
        "float64": ("float64", "bytes"),
        **{name: (name, "none") for name in ("uint64", "uint8", "int8", "bool")},
        "flag": ("bool", "none"),
    }
    assert {"picture", "picture_"} <= read_features("odd-keys").keys()
