"""LeRobot v3.0: Parquet with pictures in it, as its default codec would lose pixels.

Its rows pair an observation with the action taken on it, so there are T of them. The observation that the last action
led to is in `last/`, where no trainer takes it for one that was acted on.
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

CHUNK = 1000
TURN_BASED_FPS = 1
PICTURE_NAME = "observation.images.screen"
_RENAMED = {"picture": PICTURE_NAME, "reward": "next.reward", "step": "frame_index", "episode": "episode_index"}
_DROPPED = ("is_first", "is_last", "terminated", "truncated", "info")


class LeRobotFormat:
    """`GROUP/` with `meta/`, `data/chunk-000/file-000.parquet` and so on; a file for each part."""

    def write_part(
        self, part: Part, group: dict[str, Any], episodes: Iterable[ExportedEpisode], folder: Path
    ) -> dict[str, Any]:
        """Write a part."""
        place = f"chunk-{part.place // CHUNK:03d}/file-{part.place % CHUNK:03d}.parquet"
        data = folder / part.group / "data" / place
        rows: ParquetFile | None = None
        last: ParquetFile | None = None
        events = ParquetFile(folder / part.group / "events" / place, EVENTS)
        index, lengths, features, stats = part.offset_steps, [], {}, Stats()
        for number, numbered in enumerate(episodes, part.offset):
            if rows is None or last is None:
                features = describe_features(numbered)
                rows = ParquetFile(data, _schema(numbered))
                last = ParquetFile(folder / part.group / "last" / place, row_schema(numbered.episode, pictures=True))
            for batch in _rename(numbered, number, index, features["fps"], last):
                rows.write(batch)
                stats.add(batch)
            for batch in build_events(numbered).to_batches():
                events.write(batch)
            lengths.append(len(numbered.episode.actions))
            index += lengths[-1]
        for file in (rows, last, events):
            if file is not None:
                file.close()
        return {"lengths": lengths, **features, "stats": stats.sums}

    def finish(self, plan: Plan, reports: list[Report], folder: Path) -> None:
        """Write `meta/` of each group."""
        for name in plan.groups:
            _write_meta([report for report in reports if report.part.group == name], plan.groups[name], folder / name)

    def load(self, plan: Plan) -> str:
        """With LeRobot."""
        name = next(iter(plan.groups))
        return (
            "from lerobot.datasets.lerobot_dataset import LeRobotDataset\n\n"
            f'dataset = LeRobotDataset("skill-arcade/{name}", root="{name}")'
        )


class Stats:
    """Sums that add up over parts to minimum, maximum, mean and deviation of each column of numbers."""

    def __init__(self) -> None:
        self.sums: dict[str, dict[str, Any]] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch in."""
        for name in ("action", "next.reward", "timestamp"):
            values = batch.column(name).to_numpy(zero_copy_only=False).astype(np.float64)
            self.merge(name, len(values), values.sum(), (values**2).sum(), values.min(), values.max())

    def merge(self, name: str, count: float, total: float, squares: float, low: float, high: float) -> None:
        """Take sums in."""
        old = self.sums.get(name, {"count": 0, "total": 0.0, "squares": 0.0, "min": low, "max": high})
        self.sums[name] = {
            "count": old["count"] + count,
            "total": old["total"] + float(total),
            "squares": old["squares"] + float(squares),
            "min": min(old["min"], float(low)),
            "max": max(old["max"], float(high)),
        }

    def result(self) -> dict[str, dict[str, list[float]]]:
        """As `meta/stats.json` has it."""
        drawn = {}
        for name, one in self.sums.items():
            mean = one["total"] / one["count"]
            deviation = max(one["squares"] / one["count"] - mean**2, 0.0) ** 0.5
            values = {"min": one["min"], "max": one["max"], "mean": mean, "std": deviation, "count": one["count"]}
            drawn[name] = {key: [value] for key, value in values.items()}
        return drawn


def describe_features(numbered: ExportedEpisode) -> dict[str, Any]:
    """Frames a second, and `features` of `meta/info.json`."""
    episode = numbered.episode
    _, height, width, _ = episode.frames.shape
    image = {"dtype": "image", "shape": [height, width, 3], "names": ["height", "width", "channels"]}
    features: dict[str, Any] = {PICTURE_NAME: image}
    for field in _schema(numbered):
        if field.name != PICTURE_NAME:
            array = observation_arrays(episode).get(_plain(field.name))
            shape = [1] if array is None or array.ndim == 1 else list(array.shape[1:])
            dtype = "string" if array is not None and array.dtype.kind == "U" else _dtype(field.type)
            features[field.name] = {"dtype": dtype, "shape": shape, "names": None}
    return {"fps": _rate(episode.times), "features": features}


def _rate(times: NDArray[np.void]) -> int:
    """Whole steps a second; one where players set the pace."""
    if len(times) < 2 or np.isnan(times["late_us"]).all():
        return TURN_BASED_FPS
    return max(1, round(1e6 / float(np.median(np.diff(times["server_us"])))))


def _plain(name: str) -> str:
    return "observation" if name == "observation.state" else name


def _schema(numbered: ExportedEpisode) -> pa.Schema:
    added = [("timestamp", pa.float32()), ("index", pa.int64()), ("task_index", pa.int64()), ("next.done", pa.bool_())]
    kept = [field for field in row_schema(numbered.episode, pictures=True) if field.name not in _DROPPED]
    return pa.schema([*(field.with_name(_name(field.name)) for field in kept), *added])


def _name(name: str) -> str:
    return "observation.state" if name == "observation" else _RENAMED.get(name, name)


def _rename(
    numbered: ExportedEpisode, number: int, index: int, fps: int, last: ParquetFile
) -> Iterator[pa.RecordBatch]:
    """Rows with an action, by LeRobot's names; the one without goes to `last`."""
    n_steps, schema = len(numbered.episode.actions), _schema(numbered)
    done = numbered.episode.terminations | numbered.episode.truncations
    for batch in build_rows(numbered, pictures=True):
        start = batch.column("step")[0].as_py()
        n_rows = min(batch.num_rows, n_steps - start)
        if n_rows < batch.num_rows:
            last.write(batch.slice(n_rows))
        if n_rows == 0:
            continue
        steps = np.arange(start, start + n_rows)
        made = {_name(name): batch.column(name)[:n_rows] for name in batch.schema.names if name not in _DROPPED}
        made["episode_index"] = pa.array(np.full(n_rows, number))
        made |= {"timestamp": pa.array((steps / fps).astype(np.float32)), "index": pa.array(index + steps)}
        made |= {"task_index": pa.array(np.zeros(n_rows, np.int64)), "next.done": pa.array(done[steps])}
        yield pa.RecordBatch.from_arrays([made[name] for name in schema.names], schema=schema)


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
                    "data/chunk_index": report.part.place // CHUNK,
                    "data/file_index": report.part.place % CHUNK,
                    "dataset_from_index": index,
                    "dataset_to_index": index + length,
                    "meta/episodes/chunk_index": 0,
                    "meta/episodes/file_index": 0,
                }
            )
            index += length
        for name, one in report.more["stats"].items():
            stats.merge(name, one["count"], one["total"], one["squares"], one["min"], one["max"])
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
        "chunks_size": CHUNK,
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
    """As pandas keeps a frame whose index is the task: LeRobot looks tasks up by it."""
    column = {"name": "task_index", "field_name": "task_index", "pandas_type": "int64", "numpy_type": "int64"}
    key = {"name": None, "field_name": "__index_level_0__", "pandas_type": "unicode", "numpy_type": "object"}
    told = {
        "index_columns": ["__index_level_0__"],
        "column_indexes": [],
        "columns": [column, key],
        "pandas_version": "2.0",
    }
    table = pa.table({"task_index": pa.array([0], pa.int64()), "__index_level_0__": [task]})
    return table.replace_schema_metadata({"pandas": json.dumps(told)})


FORMAT = LeRobotFormat()
