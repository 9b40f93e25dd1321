"""Tests of exports whose players are divided into the splits `train` and `test`."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import datasets
import pandas as pd
import pytest
from sqlalchemy import URL
from typer.testing import CliRunner, Result

import skill_arcade.dataset as sa
from skill_arcade.cli import app
from skill_arcade.dataset.reader import Dataset
from skill_arcade.errors import InvalidRequest
from skill_arcade.export.formats import FormatName
from skill_arcade.export.run import export_part, export_parts, finish_export, open_plan
from skill_arcade.settings import Settings
from tests.conftest import execute, fresh_database
from tests.readers.recordings import record_games

N_EPISODES, N_PLAYERS = 10, 5
PLAYERS = f"""
    INSERT INTO "user" (id, email, time_created)
    SELECT 'player' || number, 'player' || number || '@example.org', now()
    FROM generate_series(1, {N_PLAYERS}) AS number;
    UPDATE episode SET user_id = 'player' || 1 + numbered.number % {N_PLAYERS}
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM episode) AS numbered WHERE numbered.id = episode.id
"""


@pytest.fixture(scope="module")
def recorded(postgres: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Dataset]]:
    """Ten episodes of CartPole by five players."""
    home = tmp_path_factory.mktemp("splits")
    with fresh_database(postgres) as url:
        record_games(url, home, ["cart-pole"], steps=20, episodes=N_EPISODES, has_odd=False)
        for statement in PLAYERS.split(";"):
            asyncio.run(execute(url, statement))
        settings = Settings(skill_arcade_home=home, database_url=url.render_as_string(hide_password=False))
        with sa.open(settings=settings) as dataset:
            yield settings, dataset


def export(recorded: tuple[Settings, Dataset], format_: FormatName, out: Path, fraction: float) -> dict[str, set[str]]:
    """Export, and return the players of each split by the format's own description."""
    settings, dataset = recorded
    plan = open_plan(dataset, format_, None, out, test_fraction=fraction)
    list(export_parts(settings, plan, out, jobs=1))
    finish_export(plan, out)
    return {"hf": read_hf, "lerobot": read_lerobot, "rlds": read_rlds}[format_](out)


def read_hf(out: Path) -> dict[str, set[str]]:
    folder = str(out)
    facts = datasets.load_dataset(folder, "episodes", split="train", cache_dir=str(out / "cache"))
    players = dict(zip(facts["episode"], facts["player_id"], strict=True))
    steps = datasets.load_dataset(folder, "cart-pole", cache_dir=str(out / "cache"))
    return {split: {players[number] for number in steps[split]["episode"]} for split in steps}


def read_lerobot(out: Path) -> dict[str, set[str]]:
    facts = pd.read_parquet(out / "cart-pole/meta/facts.parquet")
    splits = json.loads((out / "cart-pole/meta/info.json").read_text())["splits"]
    return {split: set(facts["player_id"][slice(*map(int, of.split(":")))]) for split, of in splits.items()}


def read_rlds(out: Path) -> dict[str, set[str]]:
    from skill_arcade.export.tfrecord import read_example, read_records  # noqa: PLC0415

    folder = out / "cart-pole/1.0.0"
    found = {}
    for split in json.loads((folder / "dataset_info.json").read_text())["splits"]:
        records = [record for file in sorted(folder.glob(f"*-{split['name']}.*")) for record in read_records(file)]
        assert sum(map(int, split["shardLengths"])) == len(records)
        facts = [json.loads(read_example(record)["episode_metadata/facts"][0]) for record in records]
        found[split["name"]] = {one["player_id"] for one in facts}
    return found


@pytest.mark.parametrize("format_", ["hf", "lerobot", "rlds"])
def test_splits_have_different_players(recorded: tuple[Settings, Dataset], format_: FormatName, tmp_path: Path) -> None:
    players = export(recorded, FormatName(format_), tmp_path / "out", 0.4)
    assert {split: len(ids) for split, ids in players.items()} == {"train": 3, "test": 2}
    assert not players["train"] & players["test"]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert {split: one["players"] for split, one in manifest["splits"].items()} == {"train": 3, "test": 2}
    assert sum(one["episodes"] for one in manifest["splits"].values()) == manifest["episodes"]


def test_split_of_left_out_episodes_is_absent(
    recorded: tuple[Settings, Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, dataset = recorded
    plan = open_plan(dataset, FormatName.hf, None, tmp_path, test_fraction=0.2)
    (lost,) = [part for part in plan.parts if part.split == "test"]
    monkeypatch.setattr(dataset, "episode", fail_for(dataset, lost.episodes))
    for part in plan.parts:
        export_part(dataset, plan, part, tmp_path)
    finish_export(plan, tmp_path)
    assert read_hf(tmp_path).keys() == {"train"}


def fail_for(dataset: Dataset, episodes: list[str]) -> Callable[[str], sa.Episode]:
    read = dataset.episode

    def episode(id_: str) -> sa.Episode:
        if id_ in episodes:
            raise InvalidRequest("This episode is damaged.")
        return read(id_)

    return episode


def test_split_of_one_player_is_refused(recorded: tuple[Settings, Dataset], tmp_path: Path) -> None:
    where = "user_id = 'player1'"
    with pytest.raises(InvalidRequest, match="never in two splits"):
        open_plan(recorded[1], FormatName.hf, where, tmp_path, test_fraction=0.5)


def test_split_of_format_without_splits_is_refused(recorded: tuple[Settings, Dataset], tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="has no splits"):
        open_plan(recorded[1], FormatName.minari, None, tmp_path, test_fraction=0.5)


def run_command(recorded: tuple[Settings, Dataset], *arguments: object) -> Result:
    settings, _ = recorded
    variables = {"SKILL_ARCADE_HOME": str(settings.skill_arcade_home), "DATABASE_URL": str(settings.database_url)}
    return CliRunner(env=variables).invoke(app, [str(argument) for argument in arguments])


def test_split_of_saved_dataset_has_same_players_in_each_export(
    recorded: tuple[Settings, Dataset], tmp_path: Path
) -> None:
    def run(*arguments: object) -> None:
        result = run_command(recorded, "datasets", *arguments)
        assert result.exit_code == 0, result.stderr

    run("save", "class")
    for name in ("first", "second"):
        run("export", "class@1", tmp_path / name, "--format", "hf", "--test-fraction", 0.4)
    files = [
        {file.relative_to(tmp_path / name): file.read_bytes() for file in (tmp_path / name).rglob("*.*")}
        for name in ("first", "second")
    ]
    assert files[0] == files[1]
    players = read_hf(tmp_path / "first")
    assert {split: len(ids) for split, ids in players.items()} == {"train": 3, "test": 2}
    assert not players["train"] & players["test"]
    run("save", "class")  # the next version has the same players in its splits
    run("export", "class@2", tmp_path / "next", "--format", "hf", "--test-fraction", 0.4)
    assert read_hf(tmp_path / "next") == players


@pytest.mark.parametrize(
    ("format_", "fraction", "reason"), [("minari", 0.4, "has no splits"), ("hf", 1.5, "between 0 and 1")]
)
def test_split_of_saved_dataset_that_cannot_be_is_refused(
    format_: str, fraction: float, reason: str, recorded: tuple[Settings, Dataset], tmp_path: Path
) -> None:
    run_command(recorded, "datasets", "save", "refused")
    arguments = ("datasets", "export", "refused@1", tmp_path / "out", "--format", format_)
    result = run_command(recorded, *arguments, "--test-fraction", fraction)
    assert (result.exit_code, reason in result.stderr) == (1, True)


def test_export_publishes_its_condition_without_ids(recorded: tuple[Settings, Dataset], tmp_path: Path) -> None:
    """Also the id of a player whose episodes are not in it, and of one who was erased."""
    settings, dataset = recorded
    episode = next(iter(dataset.episodes())).id
    erased = "0f" * 16
    where = f"player_id <> 'player1' AND player_id <> '{erased}' AND episode_id <> '{episode}' AND steps > 1"
    plan = open_plan(dataset, FormatName.parquet, where, tmp_path)
    assert open_plan(dataset, FormatName.parquet, where, tmp_path) == plan  # the same command resumes it
    list(export_parts(settings, plan, tmp_path, jobs=1))
    finish_export(plan, tmp_path)
    published = "player_id <> '(a player)' AND player_id <> '(a player)' AND episode_id <> '(an episode)' AND steps > 1"
    assert json.loads((tmp_path / "manifest.json").read_text())["query"] == published
    assert published in (tmp_path / "README.md").read_text()
    for file in tmp_path.rglob("*.*"):
        content = file.read_bytes()
        assert not [id_ for id_ in ("player1", erased, str(episode)) if id_.encode() in content], file
