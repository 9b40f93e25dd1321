"""Tests of running exports: completeness, manifest, pseudonyms, resuming and parallel processes."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import minari
import pyarrow.parquet as pq
import pytest

from skill_arcade.dataset import Episode
from skill_arcade.export import plan, tables
from skill_arcade.export.formats import FormatName
from skill_arcade.export.plan import Plan
from skill_arcade.export.run import WORK_DIR, export_part, export_parts, finish_export, open_plan
from skill_arcade.uploader.objects import list_prefixes
from tests.export.conftest import Arcade, Export

Run = Callable[..., Any]


def read_all(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("format_", FormatName)
def test_manifest_lists_files_query_and_counts(format_: str, export: Export) -> None:
    exported = export(format_, "return >= 0")
    files = read_all(exported.folder)
    del files["manifest.json"]
    assert {name: described["sha256"] for name, described in exported.manifest["files"].items()} == {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items()
    }
    assert exported.manifest["query"] == "return >= 0"
    assert (exported.manifest["episodes"], exported.manifest["players"]) == (4, 1)
    assert exported.manifest["steps"] == sum(map(len, exported.episodes))
    card = files["README.md"].decode()
    assert "return >= 0" in card
    n_steps = sum(map(len, exported.episodes[:2]))
    assert re.search(rf"\| breakout \| ALE/Breakout-v5 \| [0-9.]+ \| 2 \| {n_steps} \|", card)
    assert WORK_DIR not in {Path(name).parts[0] for name in files}


@pytest.mark.parametrize("format_", ["parquet", "minari"])
def test_export_contains_no_ids_of_players(format_: str, export: Export) -> None:
    exported = export(format_)
    episode = exported.episodes[0]
    browser = episode.provenance["player"]["browser"]
    assert browser == "test"
    facts = read_facts(exported.folder) if format_ == "parquet" else read_metadata(exported.folder)
    text = json.dumps(facts)
    assert str(episode.seed) in text
    for secret in (str(episode.id), '"user"', "somebody", '"browser"', "time_origin"):
        assert secret not in text


def read_facts(folder: Path) -> Any:
    import pandas as pd  # noqa: PLC0415 - used by one test only

    return pd.read_parquet(folder / "episodes.parquet").to_dict("records")


def read_metadata(folder: Path) -> Any:
    return [json.loads(file.read_text()) for file in folder.rglob("metadata.json")]


def test_pseudonyms_are_constant_within_export_only(export: Export, tmp_path: Path) -> None:
    player_ids = []
    for _ in range(2):
        exported = export("video", "steps < 80")
        player_ids.append({facts["player_id"] for facts in read_facts(exported.folder)})
        shutil.rmtree(exported.folder)
    assert [len(ids) for ids in player_ids] == [1, 1]
    assert player_ids[0] != player_ids[1]


@pytest.fixture
def planned(arcade: Arcade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[Plan, Path]]:
    """Return a function that copies one plan with several parts to a new folder."""
    monkeypatch.setattr(plan, "PART_STEPS", 30)
    first = tmp_path / "first"

    def make(name: str) -> tuple[Plan, Path]:
        out = tmp_path / name
        exported = open_plan(arcade.dataset, FormatName.parquet, None, first)
        if out != first:
            shutil.copytree(first / WORK_DIR, out / WORK_DIR, ignore=lambda *_: ["done*"])
        return exported, out

    make("first")
    return make


def test_resumed_export_has_same_bytes(arcade: Arcade, planned: Callable[[str], tuple[Plan, Path]]) -> None:
    exported, stopped = planned("stopped")
    assert len(exported.parts) == 4
    export_part(arcade.dataset, exported, exported.parts[1], stopped)
    # As after a kill in the middle of a part, and another one between moving a file and writing its report.
    (stopped / WORK_DIR / "part-000002").mkdir()
    (stopped / WORK_DIR / "part-000002" / "half.parquet").write_bytes(b"half")
    (stopped / "steps" / "breakout-00000.parquet").write_bytes(b"torn")
    resumed = open_plan(arcade.dataset, FormatName.parquet, None, stopped)
    assert resumed == exported
    finished_parts = [part.number for part in export_parts(arcade.settings, resumed, stopped, jobs=1)]
    assert finished_parts == [0, 2, 3]
    finish_export(resumed, stopped)
    _, complete = planned("first")
    list(export_parts(arcade.settings, exported, complete, jobs=1))
    finish_export(exported, complete)
    assert read_all(stopped) == read_all(complete)


def test_parallel_export_has_same_bytes(arcade: Arcade, planned: Callable[[str], tuple[Plan, Path]]) -> None:
    exported, divided = planned("divided")
    assert sorted(part.number for part in export_parts(arcade.settings, exported, divided, jobs=2)) == [0, 1, 2, 3]
    finish_export(exported, divided)
    _, complete = planned("first")
    list(export_parts(arcade.settings, exported, complete, jobs=1))
    finish_export(exported, complete)
    assert read_all(divided) == read_all(complete)


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("certified", "No ended episode matches"),
        ("retrun > 1", 'column "retrun" does not exist'),
        ("true); DELETE FROM transition; --", "database rejects the condition"),
        ("nextval('a') > 0", "database rejects the condition"),
    ],
)
def test_export_with_invalid_condition_prints_reason(where: str, reason: str, run: Run, tmp_path: Path) -> None:
    result = run("export", "--format", "parquet", "--where", where, tmp_path / "none")
    assert result.exit_code == 1
    assert reason in result.stderr
    assert "Traceback" not in result.output


def test_export_to_used_folder_is_rejected(run: Run, arcade: Arcade, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    result = run("export", "--format", "parquet", tmp_path / "full")
    assert (result.exit_code, "is not empty" in result.stderr) == (1, True)
    open_plan(arcade.dataset, FormatName.parquet, None, tmp_path / "begun")
    other = run("export", "--format", "hf", tmp_path / "begun")
    assert (other.exit_code, "unfinished export" in other.stderr) == (1, True)


def test_episodes_are_filtered_by_condition_and_certificate(arcade: Arcade) -> None:
    assert {episode.game_id for episode in arcade.dataset.episodes(where="game_id LIKE '%hanoi'")} == {"tower-of-hanoi"}
    assert list(arcade.dataset.episodes(certified=True)) == []
    assert len(list(arcade.dataset.episodes(certified=False))) == 4
    assert [event.kind for event in next(arcade.dataset.episodes(game="breakout")).inputs] == ["input"] * 6


def test_condition_with_backslashes_and_colons_is_passed_on_as_written(arcade: Arcade) -> None:
    for condition, expected in {
        r"game_id ~ '^\w+$'": {"breakout"},
        r"game_id ~ '^tower\Wof'": {"tower-of-hanoi"},
        r"game_id = E'cart\x2dpole'": {"cart-pole"},
        r"'\:' || game_id = E'\\:breakout'": {"breakout"},
        "game_id LIKE '%-pole' AND ':x' = ':x' AND 1::text = '1'": {"cart-pole"},
    }.items():
        assert {episode.game_id for episode in arcade.dataset.episodes(where=condition)} == expected, condition


@pytest.fixture
def damaged(arcade: Arcade) -> Iterator[Episode]:
    """Hide the pictures of the first episode of Breakout, and return it."""
    (episode,) = arcade.dataset.episodes(where="game_id = 'breakout' AND steps > 30")
    folder = arcade.settings.objects_folder / list_prefixes(episode.id)[0]
    folder.rename(folder.with_suffix(".hidden"))
    yield episode
    folder.with_suffix(".hidden").rename(folder)


@pytest.mark.parametrize("format_", [name for name in FormatName if name != "tables"])
def test_export_leaves_out_damaged_episode_and_says_so(
    format_: str, damaged: Episode, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "PART_STEPS", 1)
    result = run("export", "--format", format_, tmp_path / "out")
    assert result.exit_code == 3, result.output + result.stderr
    assert "Left out, because they cannot be exported: 1 episodes." in result.stderr
    assert f"{damaged.id} (breakout): Object" in result.stderr
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["episodes"], manifest["left_out"]["episodes"]) == (3, 1)
    (entry,) = manifest["left_out"]["reasons"]
    assert entry["group"] == "breakout"
    assert "is missing" in entry["reason"]
    assert str(damaged.id) not in json.dumps(manifest)
    card = (tmp_path / "out" / "README.md").read_text()
    assert f"| breakout | {entry['episode_id']} | Object" in card
    # The numbers of the episodes that are there have no gap.
    if format_ == "minari":
        monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "out"))
        (found,) = minari.load_dataset("skill-arcade/breakout/human-v0").iterate_episodes()
        assert (found.id, len(found)) == (0, 22)
    if format_ == "lerobot":
        episodes = pq.read_table(tmp_path / "out/breakout/meta/episodes/chunk-000/file-000.parquet").to_pylist()
        assert [(one["episode_index"], one["dataset_from_index"], one["length"]) for one in episodes] == [(0, 0, 22)]
        (data,) = (tmp_path / "out/breakout/data").rglob("*.parquet")
        assert pq.read_table(data)["index"].to_pylist() == list(range(22))


@pytest.mark.parametrize("format_", ["minari", "lerobot"])
def test_export_with_left_out_episode_has_same_bytes_in_shards(
    format_: str, damaged: Episode, arcade: Arcade, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "PART_STEPS", 1)
    out, alone = tmp_path / "shards", tmp_path / "alone"
    command = ("export", "--format", format_, "--where", "game_id = 'breakout'")
    assert run(*command, "--plan", out).exit_code == 0
    shutil.copytree(out, alone)
    # The later part is written first, when nothing is known of the episode that the earlier one leaves out.
    assert run(*command, "--shard", "1/2", out).exit_code == 0
    assert run(*command, "--shard", "0/2", out).exit_code == 0
    assert run(*command, "--finish", out).exit_code == 3
    exported = Plan.read(alone / WORK_DIR / "plan.json")
    list(export_parts(arcade.settings, exported, alone, jobs=1))
    finish_export(exported, alone)
    assert read_all(out) == read_all(alone)


def test_export_without_any_exportable_episode_says_so(damaged: Episode, run: Run, tmp_path: Path) -> None:
    result = run("export", "--format", "hf", "--where", f"episode_id = '{damaged.id}'", tmp_path / "out")
    assert result.exit_code == 3, result.output
    assert json.loads((tmp_path / "out/manifest.json").read_text())["episodes"] == 0


def test_failure_of_all_episodes_together_is_attributed_to_the_failing_one(
    arcade: Arcade, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_csv = tables.read_copied
    (first,) = arcade.dataset.episodes(where="game_id = 'breakout' AND steps > 30")

    def reject_first(path: Path, columns: dict[str, str]) -> Any:
        if str(first.id) in path.read_text():
            raise ValueError("unreadable")
        return read_csv(path, columns)

    # This format reads the rows of all episodes of a game at once.
    monkeypatch.setattr(tables, "read_copied", reject_first)
    result = run("export", "--format", "tables", tmp_path / "out")
    assert result.exit_code == 3, result.output
    assert f"{first.id} (breakout): ValueError: unreadable" in result.stderr
    assert json.loads((tmp_path / "out/manifest.json").read_text())["episodes"] == 3
