"""Tests of reading recordings: the data is exact, and damaged recordings are rejected."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sqlalchemy import URL, text

import skill_arcade.dataset as sa
from skill_arcade.dataset.arrow_schema import SUMMARY_SCHEMA
from skill_arcade.errors import InvalidRequest, NotFound, NotReady, RecordingDamaged, SettingsError
from skill_arcade.settings import Settings
from skill_arcade.storage.database.grants import grant_rights
from skill_arcade.storage.objects.disk import DiskObjects
from tests.conftest import execute, opened_engine
from tests.dataset.conftest import Record
from tests.support.cloud.storage import storage_server


def run_sql(url: URL, statement: str) -> None:
    async def run() -> None:
        async with opened_engine(url) as engine, engine.begin() as connection:
            await connection.execute(text(statement))

    asyncio.run(run())


def test_episode_columns_are_typed_arrays(dataset: sa.Dataset, record: Record) -> None:
    episode = dataset.episode(record().id)
    np.testing.assert_array_equal(episode.actions, np.arange(12) % 3)
    np.testing.assert_array_equal(episode.rewards, np.arange(12) / 4)
    np.testing.assert_array_equal(episode.terminations, np.arange(12) == 11)
    assert not episode.truncations.any()
    kinds = [a.dtype for a in (episode.actions, episode.rewards, episode.terminations, episode.truncations)]
    assert kinds == [np.int64, np.float64, np.bool_, np.bool_]
    assert episode.infos == [{"lives": 5}] * 5 + [{"lives": 4}] * 7
    assert (episode.seed, episode.environment["id"], episode.reset_info) == (123, "ALE/Pong-v5", {"lives": 5})
    assert (episode.status, episode.end_reason, episode.score, len(episode)) == ("won", "terminated", 3.0, 12)
    assert [(event.kind, event.client_us, event.data) for event in episode.events] == [("input", 9, {"a": 1})]


def test_times_are_exact_and_nan_if_missing(dataset: sa.Dataset, record: Record) -> None:
    times = dataset.episode(record().id).times
    assert times.shape == (12,)
    np.testing.assert_array_equal(times["server_us"], np.arange(12) * 16_667)
    assert np.flatnonzero(np.isnan(times["shown_us"])).tolist() == [2]
    assert times["shown_us"][11] == 10_000_000_011
    assert np.isnan(times["input_us"][:3]).all()
    assert times["time_created"][1] == np.datetime64("2026-11-22T12:00:00.016667")


def test_frames_equal_recorded_frames(dataset: sa.Dataset, record: Record) -> None:
    recorded = record()
    frames = dataset.episode(recorded.id).frames
    assert len(frames) == 13
    assert frames.shape == recorded.frames.shape
    np.testing.assert_array_equal(np.asarray(frames), recorded.frames)
    np.testing.assert_array_equal(np.stack(list(frames)), recorded.frames)
    for index in (0, 4, 5, 12, -1, -13):
        np.testing.assert_array_equal(frames[index], recorded.frames[index])
    for part in (slice(3, 9), slice(None, None, -4), slice(5, 5)):
        np.testing.assert_array_equal(frames[part], recorded.frames[part])
    np.testing.assert_array_equal(frames[[11, 2, 2]], recorded.frames[[11, 2, 2]])
    for index in (13, -14):
        with pytest.raises(IndexError):
            frames[index]


def test_frame_is_copy_of_decoded_segment(dataset: sa.Dataset, record: Record) -> None:
    recorded = record()
    frames = dataset.episode(recorded.id).frames
    frames[3][:] = 0
    for frame in frames:
        frame[:] = 0
    np.testing.assert_array_equal(frames[3], recorded.frames[3])


def test_observations_of_picture_environment_are_frames(dataset: sa.Dataset, record: Record) -> None:
    recorded = record()
    np.testing.assert_array_equal(np.asarray(dataset.episode(recorded.id).observations), recorded.frames)


@pytest.mark.parametrize(
    "observe",
    [
        lambda i: np.array([i, -i / 3], np.float32),
        lambda i: i,
        lambda i: np.full((2, 3), i, np.uint8),
        lambda i: "north" * i,
    ],
)
def test_observations_with_one_part_are_one_array(
    dataset: sa.Dataset, record: Record, observe: Callable[[int], Any]
) -> None:
    recorded = record(observe=observe)
    observations = dataset.episode(recorded.id).observations
    assert isinstance(observations, np.ndarray)
    np.testing.assert_array_equal(observations, np.array(recorded.observations))


def test_observations_with_several_parts_are_dictionary_of_arrays(dataset: sa.Dataset, record: Record) -> None:
    recorded = record(observe=lambda i: {"agent": {"place": (i, i + 0.5)}, "goal": np.array([i] * 3, np.int8)})
    observations = dataset.episode(recorded.id).observations
    assert isinstance(observations, dict)
    assert sorted(observations) == ["agent/place/0", "agent/place/1", "goal"]
    np.testing.assert_array_equal(observations["agent/place/1"], np.arange(13) + 0.5)
    assert observations["goal"].shape == (13, 3)
    assert observations["goal"].dtype == np.int8


@pytest.mark.parametrize("segments", [(0,), (0, 2), (3, 0)])
def test_segments_without_steps_are_read(dataset: sa.Dataset, record: Record, segments: tuple[int, ...]) -> None:
    recorded = record(segments)
    episode = dataset.episode(recorded.id)
    assert episode.actions.shape == episode.rewards.shape == episode.times.shape == (sum(segments),)
    np.testing.assert_array_equal(np.asarray(episode.frames), recorded.frames)


def test_episodes_are_filtered_by_game_status_and_user(dataset: sa.Dataset, record: Record) -> None:
    first = record(game="pong", status="won", user="u1")
    second = record(game="hanoi", status="lost", user="u2")
    third = record(game="hanoi", status="won", user="u2")
    assert [episode.id for episode in dataset.episodes()] == [third.id, second.id, first.id]
    assert [episode.id for episode in dataset.episodes(game="hanoi")] == [third.id, second.id]
    assert [episode.id for episode in dataset.episodes(status="won")] == [third.id, first.id]
    assert [episode.id for episode in dataset.episodes(user="u1@example.org")] == [first.id]
    assert list(dataset.episodes(game="none")) == []
    with pytest.raises(ValueError, match="winning"):
        dataset.episodes(status="winning")


def test_episodes_of_several_pages_are_listed_in_order(
    dataset: sa.Dataset, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    episodes = [record((0,)).id for _ in range(5)]
    monkeypatch.setattr("skill_arcade.dataset.episodes.PAGE_SIZE", 2)
    assert [episode.id for episode in dataset.episodes()] == episodes[::-1]


def test_table_has_the_selected_episodes_as_the_summary_has_them(
    dataset: sa.Dataset, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skill_arcade.dataset.episodes.PAGE_SIZE", 2)
    ids = [record((2,), game="pong").id for _ in range(5)]
    record((2,), game="hanoi")
    episodes = dataset.episodes(game="pong")
    assert next(episodes).id == ids[-1]
    table = episodes.to_arrow()
    assert [UUID(id_) for id_ in table["episode_id"].to_pylist()] == ids[::-1]
    summary = dataset.episode(ids[0]).summary
    assert table.to_pylist()[-1] == {**summary, "episode_id": str(summary["episode_id"])}
    frame = episodes.to_pandas()
    assert frame["return"].tolist() == table["return"].to_pylist()
    assert str(frame["time_created"].dtype) == "datetime64[us, UTC]"


def test_table_of_no_episodes_has_all_columns(dataset: sa.Dataset) -> None:
    table = dataset.episodes(game="none").to_arrow()
    assert (table.num_rows, table.schema) == (0, SUMMARY_SCHEMA)


@pytest.mark.parametrize(("method", "package"), [("to_pandas", "pandas"), ("to_polars", "polars")])
def test_table_without_the_package_says_what_to_install(
    dataset: sa.Dataset, monkeypatch: pytest.MonkeyPatch, method: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SettingsError, match=f"pip install {package}"):
        getattr(dataset.episodes(), method)()


def test_unknown_episode_is_not_found(dataset: sa.Dataset, record: Record) -> None:
    assert dataset.episode(str(record().id)[:18]).n_steps == 12
    with pytest.raises(NotFound, match="starts with"):
        dataset.episode("00000000-0000-7000-8000-000000000000")


DAMAGES = {
    "DELETE FROM transition WHERE step = 6": "11 of 12 transitions",
    "UPDATE transition SET step = 20 WHERE step = 6": "transition 6 is missing",
    "DELETE FROM segment WHERE number = 1": "segment 1 is missing",
    "DELETE FROM segment WHERE number = 2": "its segments hold 7 transitions, its rows 12",
    "UPDATE segment SET first_step = 5 WHERE number = 1": "segment 1 begins at step 5",
    "UPDATE segment SET n_frames = 4 WHERE number = 1": "segment 1 has 4 frames, not 3",
    "UPDATE transition SET obs_key = '0/9' WHERE step = 3": "observations of step 3",
}


@pytest.mark.parametrize(("damage", "reason"), DAMAGES.items())
def test_inconsistent_rows_are_damaged(
    dataset: sa.Dataset, record: Record, database_url: URL, damage: str, reason: str
) -> None:
    episode = dataset.episode(record().id)
    run_sql(database_url, damage)
    with pytest.raises(RecordingDamaged, match=reason):
        _ = episode.actions


def test_missing_object_is_damaged_and_named(dataset: sa.Dataset, record: Record, folder: Path) -> None:
    recorded = record()
    (folder / recorded.keys[1]).unlink()
    frames = dataset.episode(recorded.id).frames
    np.testing.assert_array_equal(frames[4], recorded.frames[4])
    with pytest.raises(RecordingDamaged, match=r"000001\.png is missing"):
        frames[5]


def test_object_with_other_checksum_is_damaged(dataset: sa.Dataset, record: Record, folder: Path) -> None:
    recorded = record(observe=float)
    for key in recorded.keys[:2]:
        (folder / key).write_bytes((folder / key).read_bytes() + b"\0")
    episode = dataset.episode(recorded.id)
    with pytest.raises(RecordingDamaged, match=r"\.npz has other bytes"):
        _ = episode.observations
    with pytest.raises(RecordingDamaged, match=r"\.png has other bytes"):
        np.asarray(episode.frames)


def test_object_with_other_number_of_frames_is_damaged(
    dataset: sa.Dataset, record: Record, folder: Path, database_url: URL
) -> None:
    recorded = record()
    other = (folder / recorded.keys[2]).read_bytes()
    (folder / recorded.keys[1]).write_bytes(other)
    objects = json.dumps({recorded.keys[1]: hashlib.sha256(other).hexdigest()})
    run_sql(database_url, f"UPDATE segment SET objects = '{objects}' WHERE number = 1".replace(":", r"\:"))
    with pytest.raises(RecordingDamaged, match="segment 1 has 5 frames, but its row says 3"):
        np.asarray(dataset.episode(recorded.id).frames)


def test_closed_dataset_rejects_reads(database_url: URL, folder: Path) -> None:
    dataset = sa.open(database_url.render_as_string(False), DiskObjects(folder))
    dataset.close()
    dataset.close()
    with pytest.raises(InvalidRequest, match="open it again"):
        list(dataset.episodes())


def test_open_without_database_or_tables_is_not_ready(postgres: URL, folder: Path) -> None:
    with pytest.raises(NotReady, match="does not answer"):
        sa.open(postgres.set(database="nowhere").render_as_string(False), folder)
    with pytest.raises(NotReady, match="skill-arcade migrate"):
        sa.open(postgres.render_as_string(False), folder)
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        sa.open("sqlite://", folder)


def test_script_without_close_exits_cleanly(database_url: URL, record: Record, folder: Path) -> None:
    record()
    script = "import sys, skill_arcade.dataset as sa; print(len(list(sa.open(sys.argv[1], sys.argv[2]).episodes())))"
    command = [sys.executable, "-W", "error", "-c", script, database_url.render_as_string(False), str(folder)]
    process = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert (process.stdout, process.stderr, process.returncode) == ("1\n", "", 0)


def test_dataset_in_forked_child_rejects_reads(dataset: sa.Dataset, record: Record) -> None:
    episode = dataset.episode(record().id)
    child = os.fork()
    if child == 0:
        try:
            _ = episode.actions
        except InvalidRequest:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


@pytest.mark.parametrize("prefix", ["", "production"])
def test_bucket_given_as_address_is_read(
    prefix: str, database_url: URL, folder: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = record()
    with storage_server() as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.address)
        for path in (file for file in folder.rglob("*") if file.is_file()):
            key = path.relative_to(folder).as_posix()
            server.bucket.insert(f"{prefix}/{key}" if prefix else key, path.read_bytes(), {}, None)
        shutil.rmtree(folder)
        address = f"gs://bucket/{prefix}" if prefix else "gs://bucket"
        with sa.open(database_url.render_as_string(False), address) as dataset:
            (episode,) = dataset.episodes()
            assert_array_equal(np.asarray(episode.frames), recorded.frames)


def test_researcher_reads_database_over_tcp_and_bucket(
    database_url: URL, folder: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = record()
    asyncio.run(execute(database_url, "CREATE ROLE ann_remote LOGIN"))
    try:
        asyncio.run(
            grant_rights(Settings(database_url=database_url.render_as_string(False)), app=None, reader="ann_remote")
        )
        with storage_server() as server:
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.address)
            for path in (file for file in folder.rglob("*") if file.is_file()):
                server.bucket.insert(path.relative_to(folder).as_posix(), path.read_bytes(), {}, None)
            shutil.rmtree(folder)
            url = database_url.set(username="ann_remote").render_as_string(False)
            with sa.open(database_url=url, objects="gs://bucket") as dataset:
                (episode,) = dataset.episodes(where="steps > 0")
                assert_array_equal(np.asarray(episode.frames), recorded.frames)
                assert episode.n_steps == len(recorded.frames) - 1
                assert dataset.episode(episode.id).user_id == episode.user_id
                assert list(dataset.episodes(user="nobody@example.org")) == []
    finally:
        asyncio.run(execute(database_url, "DROP OWNED BY ann_remote"))
        asyncio.run(execute(database_url, "DROP ROLE ann_remote"))


def test_bucket_without_name_is_rejected(database_url: URL) -> None:
    with pytest.raises(InvalidRequest, match="names no bucket"):
        sa.open(database_url.render_as_string(False), "gs://")
