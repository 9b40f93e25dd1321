"""Tests of the formats: an export, read by the format's own library, equals its source episodes."""

import io
import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import datasets
import minari
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from skill_arcade.dataset import Episode
from skill_arcade.errors import SettingsError
from skill_arcade.exact_json import decode_info
from skill_arcade.export import formats
from skill_arcade.export.formats import FormatName
from skill_arcade.export.tfrecord import read_example, read_records
from tests.export.conftest import Export
from tests.support.exact_values import is_same

GAMES = ["breakout", "cart-pole", "tower-of-hanoi"]


def decode(data: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(data)))


def compare_times(found: Any, episode: Episode, name: str) -> None:
    """Compare times in whole microseconds, with None for NaN."""
    expected = [None if np.isnan(value) else int(value) for value in episode.times[name]]
    assert [None if pd.isna(value) else int(value) for value in found] == expected


@pytest.mark.parametrize("game", GAMES)
def test_minari_export_equals_episodes(game: str, export: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    exported = export("minari", f"game_id = '{game}'")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(exported.folder))
    dataset = minari.load_dataset(f"skill-arcade/{game}/human-v0")
    assert dataset.total_episodes == len(exported.episodes)
    assert dataset.total_steps == sum(map(len, exported.episodes))
    all_metadata = list(dataset.storage.get_episode_metadata(range(len(exported.episodes))))
    for source, found, metadata in zip(exported.episodes, dataset.iterate_episodes(), all_metadata, strict=True):
        assert_array_equal(found.observations, np.asarray(source.observations))
        assert len(found.observations) == len(source) + 1
        if game != "breakout":
            assert_array_equal(found.infos["picture"], np.asarray(source.frames))
        assert_array_equal(found.actions, source.actions)
        assert_array_equal(found.rewards, source.rewards)
        assert_array_equal(found.terminations, source.terminations)
        assert_array_equal(found.truncations, source.truncations)
        assert_array_equal(found.infos["shown_us"][:-1, 0], source.times["shown_us"])
        assert_array_equal(found.infos["input_us"][1:, 0], source.times["input_us"])
        assert (metadata["seed"], metadata["status"], metadata["return"]) == (source.seed, source.status, source.score)
        assert len(metadata["events"]) == len(source.events)
        assert dataset.observation_space.contains(found.observations[0])
    if game == "breakout":
        environment = dataset.recover_environment()
        assert environment.spec is not None
        assert environment.spec.kwargs["frameskip"] == 1
        environment.close()


def compare_rows(rows: pd.DataFrame, source: Episode, *, pictures: bool = True) -> None:
    """Compare the T + 1 rows of an episode with its source."""
    n_steps = len(source)
    assert rows["step"].tolist() == list(range(n_steps + 1))
    assert_array_equal(rows["action"][:n_steps].astype(int), source.actions)
    assert_array_equal(rows["reward"][:n_steps].astype(float), source.rewards)
    assert_array_equal(rows["terminated"][:n_steps].astype(bool), source.terminations)
    assert_array_equal(rows["truncated"][:n_steps].astype(bool), source.truncations)
    assert rows["action"][n_steps:].isna().all()
    assert is_same([decode_info(json.loads(info)) for info in rows["info"]], [source.reset_info, *source.infos])
    for name in ("server_us", "shown_us", "input_us", "input_received_us", "input_frame", "late_us"):
        compare_times(rows[name][:n_steps], source, name)
    if pictures:
        assert_array_equal(np.stack([decode(one["bytes"]) for one in rows["picture"]]), np.asarray(source.frames))
    if isinstance(source.observations, np.ndarray):
        assert_array_equal(np.stack(rows["observation"].tolist()), source.observations)


def read_steps(folder: Path) -> pd.DataFrame:
    # The files of different games have different columns.
    return pd.concat([pq.read_table(file).to_pandas() for file in sorted(folder.glob("*.parquet"))], ignore_index=True)


def test_parquet_export_equals_episodes(export: Export) -> None:
    exported = export("parquet")
    episodes = pd.read_parquet(exported.folder / "episodes.parquet")
    assert episodes["episode"].tolist() == list(range(4))
    assert episodes["seed"].tolist() == [episode.seed for episode in exported.episodes]
    assert [json.loads(one) for one in episodes["environment"]] == [one.environment for one in exported.episodes]
    steps, events = read_steps(exported.folder / "steps"), read_steps(exported.folder / "events")
    for number, source in enumerate(exported.episodes):
        compare_rows(steps[steps["episode"] == number].reset_index(drop=True), source)
        own_events = events[events["episode"] == number]
        assert own_events["kind"].tolist() == [event.kind for event in source.events]
        assert [json.loads(data) for data in own_events["data"]] == [event.data for event in source.events]


def test_hugging_face_export_equals_episodes(export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    exported = export("hf", "game_id IN ('breakout', 'cart-pole')")
    number = 0
    for game in ("breakout", "cart-pole"):
        found = datasets.load_dataset(str(exported.folder), game, split="train", cache_dir=str(tmp_path / "cache"))
        assert isinstance(found.features["picture"], datasets.Image)
        frame = found.remove_columns("picture").to_pandas()
        pictures = [np.asarray(one["picture"]) for one in found]
        for source in [one for one in exported.episodes if one.game_id == game]:
            own_rows = frame["episode"] == number
            compare_rows(frame[own_rows].reset_index(drop=True), source, pictures=False)
            assert_array_equal(np.stack([pictures[i] for i in np.flatnonzero(own_rows)]), np.asarray(source.frames))
            number += 1
    episodes = datasets.load_dataset(str(exported.folder), "episodes", split="train", cache_dir=str(tmp_path / "cache"))
    assert episodes["seed"][:] == [one.seed for one in exported.episodes]


def test_rlds_export_is_read_without_tensorflow(export: Export) -> None:
    exported = export("rlds")
    assert "tensorflow" not in sys.modules
    found = [
        read_example(record)
        for game in GAMES
        for record in read_records(next((exported.folder / game / "1.0.0").glob("*.tf*")))
    ]
    for source, example in zip(exported.episodes, found, strict=True):
        frames = np.stack([decode(data) for data in example["steps/observation/picture"]])
        assert_array_equal(frames, np.asarray(source.frames))
        assert_array_equal(example["steps/action"][:-1], source.actions)
        rewards = [np.frombuffer(data, "<f8")[0] for data in example["steps/reward_float64"][:-1]]
        assert_array_equal(rewards, source.rewards)
        assert_array_equal(example["steps/is_last"], np.arange(len(source) + 1) == len(source))
        assert_array_equal(example["steps/is_terminal"][-1], source.terminations[-1])
        assert_array_equal(example["steps/server_us"][:-1], source.times["server_us"])
        compare_times([None if value == -1 else value for value in example["steps/shown_us"][:-1]], source, "shown_us")
        assert json.loads(example["episode_metadata/facts"][0])["seed"] == source.seed
        if isinstance(source.observations, np.ndarray) and source.observations.dtype == np.float32:
            assert_array_equal(example["steps/observation/state"], source.observations.reshape(-1))
    features = json.loads((exported.folder / "breakout/1.0.0/features.json").read_text())
    assert set(features["featuresDict"]["features"]) == {"steps", "episode_metadata"}


def test_changed_tfrecord_is_rejected(export: Export) -> None:
    exported = export("rlds", "game_id = 'tower-of-hanoi'")
    file = next((exported.folder / "tower-of-hanoi/1.0.0").glob("*.tf*"))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(ValueError, match="checksum"):
        list(read_records(file))


@pytest.mark.parametrize("game", GAMES)
def test_lerobot_export_has_expected_layout(game: str, export: Export, tmp_path: Path) -> None:
    exported = export("lerobot", f"game_id = '{game}'")
    root = exported.folder / game
    info = json.loads((root / "meta/info.json").read_text())
    assert (info["codebase_version"], info["total_episodes"]) == ("v3.0", len(exported.episodes))
    assert info["fps"] == {"breakout": 60, "cart-pole": 50}.get(game, 1)
    tasks = pd.read_parquet(root / "meta/tasks.parquet")
    assert tasks.loc[tasks.index[0], "task_index"] == 0
    assert tasks.index[0].startswith("Play ")
    episodes = pd.read_parquet(root / "meta/episodes/chunk-000/file-000.parquet")
    data = root / info["data_path"].format(chunk_index=0, file_index=0)
    features = datasets.Features(
        {
            name: datasets.Image()
            if one["dtype"] == "image"
            else datasets.Value(one["dtype"])
            if one["shape"] == [1]
            else datasets.List(datasets.Value(one["dtype"]), length=one["shape"][0])
            for name, one in info["features"].items()
        }
    )
    found = datasets.Dataset.from_parquet(str(data), features=features, cache_dir=str(tmp_path / "cache"))
    last = pq.read_table(root / "last/chunk-000/file-000.parquet").to_pylist()
    frame = found.remove_columns("observation.images.screen").to_pandas()
    assert frame["index"].tolist() == list(range(info["total_frames"]))
    for number, source in enumerate(exported.episodes):
        place = episodes.iloc[number]
        rows = frame[place["dataset_from_index"] : place["dataset_to_index"]]
        assert (rows["episode_index"] == number).all()
        assert_array_equal(rows["discrete_action"], source.actions)
        assert_array_equal(np.stack(rows["action"].tolist()).argmax(axis=1), source.actions)
        assert_array_equal(rows["next.reward"], source.rewards)
        assert_array_equal(rows["next.done"], source.terminations | source.truncations)
        pictures = [np.asarray(found[i]["observation.images.screen"]) for i in rows["index"]]
        pictures.append(decode(last[number]["picture"]["bytes"]))
        assert_array_equal(np.stack(pictures), np.asarray(source.frames))
        compare_times([None if us == -1 else us for us in rows["shown_us"]], source, "shown_us")
    stats = json.loads((root / "meta/stats.json").read_text())
    assert stats["discrete_action"]["mean"][0] == pytest.approx(frame["discrete_action"].mean())
    assert stats["discrete_action"]["std"][0] == pytest.approx(frame["discrete_action"].std(ddof=0))
    assert np.shape(stats["observation.images.screen"]["mean"]) == (3, 1, 1)
    assert not frame.isna().any().any()
    last_index = episodes["dataset_to_index"] - 1
    assert episodes["stats/index/max"].str[0].tolist() == last_index.tolist()


def test_video_export_is_lossless_with_exact_times(export: Export) -> None:
    exported = export("video")
    steps = read_steps(exported.folder / "steps")
    for number, source in enumerate(exported.episodes):
        with av.open(str(exported.folder / f"videos/{number:06d}.mp4")) as video:
            frames = list(video.decode(video=0))
        assert_array_equal(np.stack([frame.to_ndarray(format="rgb24") for frame in frames]), np.asarray(source.frames))
        times = [Fraction(frame.pts or 0) * (frame.time_base or 0) for frame in frames]
        shifted = [0, *source.times["server_us"].tolist()]
        assert all(
            abs(t - Fraction(us, 1_000_000)) <= Fraction(1, 1_000_000) for t, us in zip(times, shifted, strict=True)
        )
        compare_rows(steps[steps["episode"] == number].reset_index(drop=True), source, pictures=False)


def test_format_with_missing_package_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(formats._NEEDS, "hf", ("a_package_that_is_not_there",))
    with pytest.raises(
        SettingsError, match=r"needs the package a_package_that_is_not_there: run `uv sync --group export`"
    ):
        formats.find_format(FormatName.hf)
