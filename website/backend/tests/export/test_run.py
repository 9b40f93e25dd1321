"""An export is whole, says what it is, names nobody, and can be stopped and divided."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skill_arcade.export import plan
from skill_arcade.export.formats import FormatName
from skill_arcade.export.plan import Plan
from skill_arcade.export.run import WORK_DIR, export_part, export_parts, finish_export, open_plan
from tests.export.conftest import Arcade, Export

Run = Callable[..., Any]


def read_all(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("format_", FormatName)
def test_the_manifest_has_every_file_and_the_query(format_: str, export: Export) -> None:
    made = export(format_, "return >= 0")
    files = read_all(made.folder)
    del files["manifest.json"]
    assert {name: one["sha256"] for name, one in made.manifest["files"].items()} == {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items()
    }
    assert made.manifest["query"] == "return >= 0"
    assert (made.manifest["episodes"], made.manifest["players"]) == (4, 1)
    assert made.manifest["steps"] == sum(map(len, made.episodes))
    card = files["README.md"].decode()
    assert "return >= 0" in card
    assert re.search(rf"\| breakout \| ALE/Breakout-v5 \| 2 \| {sum(map(len, made.episodes[:2]))} \|", card)
    assert WORK_DIR not in {Path(name).parts[0] for name in files}


@pytest.mark.parametrize("format_", ["parquet", "minari"])
def test_an_export_names_nobody(format_: str, export: Export) -> None:
    made = export(format_)
    episode = made.episodes[0]
    browser = episode.provenance["player"]["browser"]
    assert browser == "test"
    facts = read_facts(made.folder) if format_ == "parquet" else read_metadata(made.folder)
    told = json.dumps(facts)
    assert str(episode.seed) in told
    for secret in (str(episode.id), '"user"', "somebody", '"browser"', "time_origin"):
        assert secret not in told


def read_facts(folder: Path) -> Any:
    import pandas as pd  # noqa: PLC0415 - only this test

    return pd.read_parquet(folder / "episodes.parquet").to_dict("records")


def read_metadata(folder: Path) -> Any:
    return [json.loads(file.read_text()) for file in folder.rglob("metadata.json")]


def test_pseudonyms_are_one_within_an_export_and_others_in_the_next(export: Export, tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        made = export("video", "steps < 80")
        found.append({one["player_id"] for one in read_facts(made.folder)})
        shutil.rmtree(made.folder)
    assert [len(one) for one in found] == [1, 1]
    assert found[0] != found[1]


@pytest.fixture
def planned(arcade: Arcade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[Plan, Path]]:
    """The same plan of several parts in as many folders as are asked for."""
    monkeypatch.setattr(plan, "PART_STEPS", 30)
    first = tmp_path / "first"

    def make(name: str) -> tuple[Plan, Path]:
        out = tmp_path / name
        made = open_plan(arcade.dataset, FormatName.parquet, None, first)
        if out != first:
            shutil.copytree(first / WORK_DIR, out / WORK_DIR, ignore=lambda *_: ["done*"])
        return made, out

    make("first")
    return make


def test_an_export_that_was_stopped_goes_on_to_the_same_bytes(
    arcade: Arcade, planned: Callable[[str], tuple[Plan, Path]]
) -> None:
    made, stopped = planned("stopped")
    assert len(made.parts) == 4
    export_part(arcade.dataset, made, made.parts[1], stopped)
    # Killed in the middle of another part, and between putting a file in place and saying so.
    (stopped / WORK_DIR / "part-000002").mkdir()
    (stopped / WORK_DIR / "part-000002" / "half.parquet").write_bytes(b"half")
    (stopped / "steps" / "breakout-00000.parquet").write_bytes(b"torn")
    again = open_plan(arcade.dataset, FormatName.parquet, None, stopped)
    assert again == made
    done = [part.number for part in export_parts(arcade.settings, again, stopped, jobs=1)]
    assert done == [0, 2, 3]
    finish_export(again, stopped)
    _, whole = planned("first")
    list(export_parts(arcade.settings, made, whole, jobs=1))
    finish_export(made, whole)
    assert read_all(stopped) == read_all(whole)


def test_several_processes_make_the_same_bytes_as_one(
    arcade: Arcade, planned: Callable[[str], tuple[Plan, Path]]
) -> None:
    made, divided = planned("divided")
    assert sorted(part.number for part in export_parts(arcade.settings, made, divided, jobs=2)) == [0, 1, 2, 3]
    finish_export(made, divided)
    _, whole = planned("first")
    list(export_parts(arcade.settings, made, whole, jobs=1))
    finish_export(made, whole)
    assert read_all(divided) == read_all(whole)


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("certified", "No ended episode fulfils that"),
        ("retrun > 1", 'column "retrun" does not exist'),
        ("true); DELETE FROM transition; --", "does not take"),
        ("nextval('a') > 0", "does not take"),
    ],
)
def test_a_condition_that_does_not_fit_is_one_sentence(where: str, reason: str, run: Run, tmp_path: Path) -> None:
    result = run("export", "--format", "parquet", "--where", where, tmp_path / "none")
    assert result.exit_code == 1
    assert reason in result.stderr
    assert "Traceback" not in result.output


def test_a_folder_with_something_else_is_left_alone(run: Run, arcade: Arcade, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    result = run("export", "--format", "parquet", tmp_path / "full")
    assert (result.exit_code, "is not empty" in result.stderr) == (1, True)
    open_plan(arcade.dataset, FormatName.parquet, None, tmp_path / "begun")
    other = run("export", "--format", "hf", tmp_path / "begun")
    assert (other.exit_code, "unfinished export" in other.stderr) == (1, True)


def test_a_condition_chooses(arcade: Arcade) -> None:
    assert {one.game_id for one in arcade.dataset.episodes(where="game_id LIKE '%hanoi'")} == {"tower-of-hanoi"}
    assert list(arcade.dataset.episodes(certified=True)) == []
    assert len(list(arcade.dataset.episodes(certified=False))) == 4
    assert [event.kind for event in next(arcade.dataset.episodes(game="breakout")).inputs] == ["input"] * 6
