"""Format LeRobot v3.0, with the frames as images in Parquet, because its default video codec is lossy.

A row pairs an observation with the action taken on it, so an episode has T rows. The observation after the last action
is in the folder `last/`, so that no trainer mistakes it for one with an action.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skill_arcade.export.episode_facts import ExportedEpisode
from skill_arcade.export.formats import Report
from skill_arcade.export.parquet_writer import ParquetFile, write_table
from skill_arcade.export.plan import Part, Plan
from skill_arcade.export.rows import (
    EVENTS,
    build_episode_facts,
    build_events,
    build_rows,
    observation_arrays,
    row_schema,
)

CHUNK_FILES = 1000
"""Number of files per folder `chunk-...`."""
TURN_BASED_FPS = 1
"""Nominal frame rate of turn-based games in Hz."""
PICTURE_NAME = "observation.images.screen"
_RENAMED = {"picture": PICTURE_NAME, "reward": "next.reward", "step": "frame_index", "episode": "episode_index"}
_DROPPED = ("is_first", "is_last", "terminated", "truncated", "info")


class LeRobotFormat:
    """Writes `GROUP/` with `meta/`, `data/chunk-000/file-000.parquet` and so on; each part is one file."""

    has_offsets = True

    def write_part(
        self, part: Part, group: dict[str, Any], episodes: Iterable[ExportedEpisode], folder: Path
    ) -> dict[str, Any]:
        path = f"chunk-{part.place // CHUNK_FILES:03d}/file-{part.place % CHUNK_FILES:03d}.parquet"
        data = folder / part.group / "data" / path
        rows: ParquetFile | None = None
        last: ParquetFile | None = None
        events = ParquetFile(folder / part.group / "events" / path, EVENTS)
        index, lengths, features, stats = part.offset_steps, [], {}, Stats()
        for number, exported in enumerate(episodes, part.offset):
            if rows is None or last is None:
                features = describe_features(exported)
                rows = ParquetFile(data, _schema(exported))
                last = ParquetFile(folder / part.group / "last" / path, row_schema(exported.episode, pictures=True))
            for batch in _rename(exported, number, index, features["fps"], last):
                rows.write(batch)
                stats.add(batch)
            for batch in build_events(exported).to_batches():
                events.write(batch)
            lengths.append(len(exported.episode.actions))
            index += lengths[-1]
        for file in (rows, last, events):
            if file is not None:
                file.close()
        return {"lengths": lengths, **features, "stats": stats.sums}

    def finish(self, plan: Plan, reports: list[Report], folder: Path) -> None:
        for name in plan.groups:
            _write_meta([report for report in reports if report.part.group == name], plan.groups[name], folder / name)

    def load(self, plan: Plan) -> str:
        name = next(iter(plan.groups))
        return (
            "from lerobot.datasets.lerobot_dataset import LeRobotDataset\n\n"
            f'dataset = LeRobotDataset("skill-arcade/{name}", root="{name}")'
        )


class Stats:
    """Sums over all parts for the minimum, maximum, mean and standard deviation of each numeric column."""

    def __init__(self) -> None:
        self.sums: dict[str, dict[str, Any]] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Add the values of a batch."""
        for name in ("action", "next.reward", "timestamp"):
            values = batch.column(name).to_numpy(zero_copy_only=False).astype(np.float64)
            self.merge(name, len(values), values.sum(), (values**2).sum(), values.min(), values.max())

    def merge(self, name: str, count: float, total: float, squares: float, low: float, high: float) -> None:
        """Add sums of another part."""
        previous = self.sums.get(name, {"count": 0, "total": 0.0, "squares": 0.0, "min": low, "max": high})
        self.sums[name] = {
            "count": previous["count"] + count,
            "total": previous["total"] + float(total),
            "squares": previous["squares"] + float(squares),
            "min": min(previous["min"], float(low)),
            "max": max(previous["max"], float(high)),
        }

    def result(self) -> dict[str, dict[str, list[float]]]:
        """Return the statistics in the structure of `meta/stats.json`."""
        statistics = {}
        for name, sums in self.sums.items():
            mean = sums["total"] / sums["count"]
            deviation = max(sums["squares"] / sums["count"] - mean**2, 0.0) ** 0.5
            values = {"min": sums["min"], "max": sums["max"], "mean": mean, "std": deviation, "count": sums["count"]}
            statistics[name] = {key: [value] for key, value in values.items()}
        return statistics


def describe_features(exported: ExportedEpisode) -> dict[str, Any]:
    """Return the frame rate in Hz and the `features` of `meta/info.json`."""
    episode = exported.episode
    _, height, width, _ = episode.frames.shape
    image = {"dtype": "image", "shape": [height, width, 3], "names": ["height", "width", "channels"]}
    features: dict[str, Any] = {PICTURE_NAME: image}
    for field in _schema(exported):
        if field.name != PICTURE_NAME:
            array = observation_arrays(episode).get(_plain(field.name))
            shape = [1] if array is None or array.ndim == 1 else list(array.shape[1:])
            dtype = "string" if array is not None and array.dtype.kind == "U" else _dtype(field.type)
            features[field.name] = {"dtype": dtype, "shape": shape, "names": None}
    return {"fps": _rate(episode.times), "features": features}


def _rate(times: NDArray[np.void]) -> int:
    """Return the number of steps per second as an integer, or `TURN_BASED_FPS` for a turn-based game."""
    if len(times) < 2 or np.isnan(times["late_us"]).all():
        return TURN_BASED_FPS
    return max(1, round(1e6 / float(np.median(np.diff(times["server_us"])))))


def _plain(name: str) -> str:
    return "observation" if name == "observation.state" else name


def _schema(exported: ExportedEpisode) -> pa.Schema:
    added = [("timestamp", pa.float32()), ("index", pa.int64()), ("task_index", pa.int64()), ("next.done", pa.bool_())]
    fields = [field for field in row_schema(exported.episode, pictures=True) if field.name not in _DROPPED]
    return pa.schema([*(field.with_name(_name(field.name)) for field in fields), *added])


def _name(name: str) -> str:
    return "observation.state" if name == "observation" else _RENAMED.get(name, name)


def _rename(
    exported: ExportedEpisode, number: int, index: int, fps: int, last: ParquetFile
) -> Iterator[pa.RecordBatch]:
    """Yield the rows with an action, with LeRobot's column names. Writes the row without an action to `last`."""
    n_steps, schema = len(exported.episode.actions), _schema(exported)
    done = exported.episode.terminations | exported.episode.truncations
    for batch in build_rows(exported, pictures=True):
        start = batch.column("step")[0].as_py()
        n_rows = min(batch.num_rows, n_steps - start)
        if n_rows < batch.num_rows:
            last.write(batch.slice(n_rows))
        if n_rows == 0:
            continue
        steps = np.arange(start, start + n_rows)
        columns = {_name(name): batch.column(name)[:n_rows] for name in batch.schema.names if name not in _DROPPED}
        columns["episode_index"] = pa.array(np.full(n_rows, number))
        columns |= {"timestamp": pa.array((steps / fps).astype(np.float32)), "index": pa.array(index + steps)}
        columns |= {"task_index": pa.array(np.zeros(n_rows, np.int64)), "next.done": pa.array(done[steps])}
        yield pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


def _dtype(type_: pa.DataType) -> str:
    while isinstance(type_, pa.FixedSizeListType):
        type_ = type_.value_type
    return {"double": "float64", "float": "float32"}.get(str(type_), str(type_))


def _write_meta(reports: list[Report], group: dict[str, Any], folder: Path) -> None:
    rows: list[dict[str, Any]] = []
    index, task, stats = 0, f"Play {group['id']}", Stats()
    for report in reports:
        for length in report.more["lengths"]:
            rows.append(
                {
                    "episode_index": len(rows),
                    "tasks": [task],
                    "length": length,
                    "data/chunk_index": report.part.place // CHUNK_FILES,
                    "data/file_index": report.part.place % CHUNK_FILES,
                    "dataset_from_index": index,
                    "dataset_to_index": index + length,
                    "meta/episodes/chunk_index": 0,
                    "meta/episodes/file_index": 0,
                }
            )
            index += length
        for name, sums in report.more["stats"].items():
            stats.merge(name, sums["count"], sums["total"], sums["squares"], sums["min"], sums["max"])
    meta = folder / "meta"
    meta.mkdir(parents=True, exist_ok=True)
    write_table(pa.Table.from_pylist(rows), meta / "episodes" / "chunk-000" / "file-000.parquet")
    write_table(_index_tasks(task), meta / "tasks.parquet")
    write_table(build_episode_facts([facts for report in reports for facts in report.facts]), meta / "facts.parquet")
    (meta / "stats.json").write_text(json.dumps(stats.result(), indent=1))
    info = {
        "codebase_version": "v3.0",
        "robot_type": None,
        "total_episodes": len(rows),
        "total_frames": index,
        "total_tasks": 1,
        "chunks_size": CHUNK_FILES,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": reports[0].more["fps"],
        "splits": {"train": f"0:{len(rows)}"},
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": None,
        "features": reports[0].more["features"],
    }
    (meta / "info.json").write_text(json.dumps(info, indent=1))


def _index_tasks(task: str) -> pa.Table:
    """Return the task table with pandas metadata: LeRobot looks tasks up by the index of a data frame."""
    column = {"name": "task_index", "field_name": "task_index", "pandas_type": "int64", "numpy_type": "int64"}
    key = {"name": None, "field_name": "__index_level_0__", "pandas_type": "unicode", "numpy_type": "object"}
    metadata = {
        "index_columns": ["__index_level_0__"],
        "column_indexes": [],
        "columns": [column, key],
        "pandas_version": "2.0",
    }
    table = pa.table({"task_index": pa.array([0], pa.int64()), "__index_level_0__": [task]})
    return table.replace_schema_metadata({"pandas": json.dumps(metadata)})


FORMAT = LeRobotFormat()
