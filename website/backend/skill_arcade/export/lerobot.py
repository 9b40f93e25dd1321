"""Format LeRobot v3.0, with the frames as images in Parquet, because its default video codec is lossy.

A row pairs an observation with the action taken on it, so an episode has T rows. The observation after the last action
is in the folder `last/`, so that no trainer mistakes it for one with an action.

LeRobot treats every feature whose name begins with `observation` or `action` as an input or output of a policy, makes a
tensor of every value, and reads a feature of shape (1,) as a number without dimension. Hence:

- `action` is a vector: the vector that was applied if the environment has one, otherwise one-hot. The number of the
  action is in `discrete_action`.
- `observation.state` has all numbers of the observation as float32, with zeros up to at least two entries. It is there
  also if the observation is the picture, because several policies need a state.
- `source.*` has the parts of the observation in their own types, flattened, because LeRobot's tools cannot rewrite
  arrays of several dimensions; `meta/columns.json` has their shapes. `text.*` has its texts. A mission is also the
  task.
- A missing time is -1.
- If an agent acted in an episode of the group, `actor`, `intervention`, `intervention_label`,
  `intervention_reason`, `near_switch`, `agent_action` and `human_action` say who acted
  (`skill_arcade.dataset.takeover`). Without `action` and `observation` at the beginning of their names, they are no
  inputs and outputs of a policy.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skill_arcade.dataset.episode import Episode
from skill_arcade.dataset.takeover import ABSENT as NO_ACTION
from skill_arcade.dataset.takeover import take_over_all
from skill_arcade.errors import InvalidRequest
from skill_arcade.export.episode_facts import ExportedEpisode
from skill_arcade.export.formats import Report
from skill_arcade.export.lerobot_stats import aggregate_stats, describe_pictures, describe_values
from skill_arcade.export.parquet_writer import ParquetFile, write_table
from skill_arcade.export.plan import Part, Plan
from skill_arcade.export.reference import TEXT, conforming_arrays, plain_infos
from skill_arcade.export.reference import Path as LeafPath
from skill_arcade.export.rows import (
    BATCH_ROWS,
    EVENTS,
    PICTURE,
    build_episode_facts,
    build_events,
    build_rows,
    column_type,
    png,
    row_schema,
    to_column,
    to_storable,
)
from skill_arcade.storage.database.transition_columns import MISSING_TIMES

CHUNK_FILES = 1000
"""Number of files per folder `chunk-...`."""
MIN_STATE_SIZE = 2
"""Minimum length of `observation.state`. LeRobot reads a feature of shape (1,) as a number, which no policy accepts."""
MAX_STATE_SIZE = 1024
"""Maximum length of `observation.state`. A larger observation has only its parts, `source.*`, and zeros as state."""
PICTURE_NAME = "observation.images.screen"
STATE_NAME = "observation.state"
ABSENT = -1

Columns = dict[str, NDArray[Any]]


class LeRobotFormat:
    """Writes `GROUP/` with `meta/`, `data/chunk-000/file-000.parquet` and so on; each part is one file."""

    has_offsets = True
    has_splits = True
    has_tasks = True

    def write_part(
        self, part: Part, group: dict[str, Any], episodes: Iterable[ExportedEpisode], folder: Path
    ) -> dict[str, Any]:
        path = f"chunk-{part.place // CHUNK_FILES:03d}/file-{part.place % CHUNK_FILES:03d}.parquet"
        root = folder / part.group
        rows: ParquetFile | None = None
        last: ParquetFile | None = None
        index, lengths, tasks, stats = part.offset_steps, [], [], []
        features: dict[str, Any] = {}
        with ParquetFile(root / "events" / path, EVENTS) as events:
            try:
                for number, exported in enumerate(episodes, part.offset):
                    columns = build_columns(exported.episode, group, number, index)
                    if rows is None or last is None:
                        features = describe_features(columns, exported.episode)
                        rows = ParquetFile(root / "data" / path, _schema(columns))
                        last = ParquetFile(root / "last" / path, row_schema(exported.episode, pictures=True))
                    for batch in _build_batches(columns, exported.episode):
                        rows.write(batch)
                    for batch in build_rows(exported, pictures=True):
                        if (final := batch.filter(batch.column("is_last"))).num_rows:
                            last.write(final)
                    for batch in build_events(exported).to_batches():
                        events.write(batch)
                    lengths.append(len(exported.episode.actions))
                    tasks.append(sorted({int(task) for task in columns["task_index"]}))
                    stats.append(_describe_episode(columns, exported.episode))
                    index += lengths[-1]
            finally:
                for file in (rows, last):
                    if file is not None:
                        file.close()
        return {"lengths": lengths, "features": features, "stats": stats, "tasks": tasks}

    def finish(self, plan: Plan, reports: list[Report], folder: Path) -> None:
        for name in plan.groups:
            _write_meta([report for report in reports if report.part.group == name], plan.groups[name], folder / name)

    def load(self, plan: Plan) -> str:
        name = next(iter(plan.groups))
        return (
            "from lerobot.datasets.lerobot_dataset import LeRobotDataset\n\n"
            f'dataset = LeRobotDataset("skill-arcade/{name}", root="{name}")\n'
            'print(dataset[0]["action"], dataset[0]["task"])'
        )


def build_columns(episode: Episode, group: dict[str, Any], number: int, index: int) -> Columns:
    """Return the columns of an episode's T rows, except the picture.

    Raises:
        InvalidRequest: the episode has no steps, or the number of actions is unknown.
    """
    n_steps = len(episode.actions)
    if n_steps == 0:
        raise InvalidRequest("The episode has no steps, and LeRobot has no episodes without frames.")
    steps = np.arange(n_steps)
    arrays = {path: array[:n_steps] for path, array in conforming_arrays(episode, group["reference"]).items()}
    columns: Columns = {
        "action": _vector_actions(episode, group),
        "discrete_action": episode.actions + group["reference"]["actions"][0],
        "next.reward": episode.rewards,
        "next.done": episode.terminations | episode.truncations,
    }
    numeric = {path: array for path, array in arrays.items() if array.dtype.kind in "biuf"}
    state = _flatten(numeric, n_steps)
    columns[STATE_NAME] = state if state.shape[1] <= MAX_STATE_SIZE else _flatten({}, n_steps)
    used: set[str] = set()
    for path, array in arrays.items():
        stored = to_storable(array)
        if stored.dtype == np.uint64:
            stored = np.array([json.dumps(value) for value in stored.tolist()], object)  # Torch has no such integers.
        if path == () and stored.dtype == np.float32 and stored.ndim == 2 and stored.shape[1] >= MIN_STATE_SIZE:
            continue  # The state is the same.
        name = _name_part(path, "text" if stored.dtype.kind in "UO" else "source", used)
        columns[name] = stored.reshape(n_steps, -1) if stored.ndim > 1 else stored
    for name in ("server_us", *MISSING_TIMES):
        times = episode.times[name].astype(np.float64)
        columns[name] = np.where(np.isnan(times), ABSENT, np.nan_to_num(times)).astype(np.int64)
    if group.get("with_agent"):
        columns |= _list_takeover(episode, group["reference"]["actions"][0])
    columns |= {
        "timestamp": (steps / group["reference"]["fps"]).astype(np.float32),
        "frame_index": steps,
        "episode_index": np.full(n_steps, number),
        "index": index + steps,
        "task_index": np.full(n_steps, _find_task(arrays, group)),
    }
    return columns


def _list_takeover(episode: Episode, first_action: int) -> Columns:
    """Return who acted at each step. `intervention` is the name that LeRobot's DAgger data sets give it."""
    takeover = episode.takeover or take_over_all(episode.actions)
    return {
        "actor": takeover.actors,
        "intervention": takeover.is_intervention,
        "intervention_label": takeover.intervention_labels,
        "intervention_reason": takeover.reason_codes,
        "near_switch": takeover.is_near_switch,
        **{
            name: np.where(actions == NO_ACTION, ABSENT, actions + first_action)
            for name, actions in (("agent_action", takeover.agent_actions), ("human_action", takeover.human_actions))
        },
    }


def _vector_actions(episode: Episode, group: dict[str, Any]) -> NDArray[np.float32]:
    """Return the vectors that were applied, or one-hot vectors of the actions."""
    vectors = [info.get("vector") for info in plain_infos(episode)[1:]]
    if all(isinstance(vector, list) and len(vector) >= MIN_STATE_SIZE for vector in vectors):
        return np.array(vectors, np.float32)
    if group["reference"]["actions"] is None:
        raise InvalidRequest(
            f"The number of actions of {group['id']} is unknown, because the environment cannot be made here. Install "
            "its package."
        )
    n_actions = max(group["reference"]["actions"][1], MIN_STATE_SIZE)
    return np.eye(n_actions, dtype=np.float32)[episode.actions]


def _flatten(arrays: dict[LeafPath, NDArray[Any]], n_steps: int) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        parts = [array.reshape(n_steps, -1).astype(np.float32) for array in arrays.values()]
    joined = np.concatenate([np.zeros((n_steps, 0), np.float32), *parts], axis=1)
    missing = max(MIN_STATE_SIZE - joined.shape[1], 0)
    return np.pad(joined, ((0, 0), (0, missing)))


def _name_part(path: LeafPath, prefix: str, used: set[str]) -> str:
    """Return the name of a column. LeRobot allows no `/`, and expects a picture wherever a name has `image`."""
    name = ".".join([prefix, *(path or ("observation",))]).replace("/", "_").replace("image", "img")
    while name in used:
        name += "_"
    used.add(name)
    return name


def _find_task(arrays: dict[LeafPath, NDArray[Any]], group: dict[str, Any]) -> int:
    """Return the index of the episode's task: its first text, if the observation has one."""
    texts = [str(array[0]) for array in arrays.values() if array.dtype.kind in "UO"]
    tasks = list_tasks(group)
    return tasks.index(texts[0]) if texts and texts[0] in tasks else 0


def list_tasks(group: dict[str, Any]) -> list[str]:
    """Return the tasks of a group: the missions of its episodes, or one that names the environment."""
    return group.get("tasks") or [f"Play {group['id']}"]


def describe_features(columns: Columns, episode: Episode) -> dict[str, Any]:
    """Return the `features` of `meta/info.json`."""
    _, height, width, _ = episode.frames.shape
    features: dict[str, Any] = {
        PICTURE_NAME: {"dtype": "image", "shape": [height, width, 3], "names": ["height", "width", "channels"]}
    }
    for name, array in columns.items():
        shape = list(array.shape[1:]) or [1]
        dtype = "string" if array.dtype.kind in "UO" else str(array.dtype)
        names = [f"{name}_{index}" for index in range(shape[0])] if len(shape) == 1 and shape[0] > 1 else None
        features[name] = {"dtype": dtype, "shape": shape, "names": names}
    return features


def _schema(columns: Columns) -> pa.Schema:
    return pa.schema([(PICTURE_NAME, PICTURE), *((name, _type(array)) for name, array in columns.items())])


def _type(array: NDArray[Any]) -> pa.DataType:
    # LeRobot reads a feature of shape (1,) as a number.
    return column_type(array.reshape(len(array)) if array.shape[1:] == (1,) else array)


def _build_batches(columns: Columns, episode: Episode) -> Iterator[pa.RecordBatch]:
    schema = _schema(columns)
    for start in range(0, len(columns["index"]), BATCH_ROWS):
        rows = slice(start, min(start + BATCH_ROWS, len(columns["index"])))
        pictures = [{"bytes": png(frame), "path": None} for frame in episode.frames[rows]]
        arrays = [
            to_column(array[rows].reshape(-1) if array.shape[1:] == (1,) else array[rows]) for array in columns.values()
        ]
        yield pa.RecordBatch.from_arrays([pa.array(pictures, PICTURE), *arrays], schema=schema)


def _describe_episode(columns: Columns, episode: Episode) -> dict[str, Any]:
    """Return the statistics of an episode: feature to statistic to list."""
    stats = {name: describe_values(array) for name, array in columns.items() if array.dtype.kind in "biuf"}
    return {PICTURE_NAME: describe_pictures(episode.frames, len(columns["index"])), **stats}


def _write_meta(reports: list[Report], group: dict[str, Any], folder: Path) -> None:
    rows: list[dict[str, Any]] = []
    tasks = list_tasks(group)
    index = 0
    for report in reports:
        more = report.more
        for length, task_indices, stats in zip(more["lengths"], more["tasks"], more["stats"], strict=True):
            rows.append(
                {
                    "episode_index": len(rows),
                    "tasks": [tasks[task] for task in task_indices],
                    "length": length,
                    "data/chunk_index": report.part.place // CHUNK_FILES,
                    "data/file_index": report.part.place % CHUNK_FILES,
                    "dataset_from_index": index,
                    "dataset_to_index": index + length,
                    "meta/episodes/chunk_index": 0,
                    "meta/episodes/file_index": 0,
                    **{f"stats/{name}/{key}": value for name, of in stats.items() for key, value in of.items()},
                }
            )
            index += length
    meta = folder / "meta"
    meta.mkdir(parents=True, exist_ok=True)
    write_table(pa.Table.from_pylist(rows), meta / "episodes" / "chunk-000" / "file-000.parquet")
    write_table(_index_tasks(tasks), meta / "tasks.parquet")
    write_table(build_episode_facts([facts for report in reports for facts in report.facts]), meta / "facts.parquet")
    stats = aggregate_stats([stats for report in reports for stats in report.more["stats"]])
    (meta / "stats.json").write_text(json.dumps(stats, indent=1, allow_nan=False))
    info = {
        "codebase_version": "v3.0",
        "robot_type": "skill_arcade",
        "total_episodes": len(rows),
        "total_frames": index,
        "total_tasks": len(tasks),
        "chunks_size": CHUNK_FILES,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": group["reference"]["fps"],
        "splits": _describe_splits(reports),
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": None,
        "features": reports[0].more["features"],
    }
    (meta / "columns.json").write_text(json.dumps(_describe_columns(group["reference"]), indent=1))
    (meta / "info.json").write_text(json.dumps(info, indent=1, allow_nan=False))


def _describe_splits(reports: list[Report]) -> dict[str, str]:
    """Return the range of episodes of each split. Episodes of one split are neighbours."""
    ranges: dict[str, str] = {}
    first = 0
    for split in dict.fromkeys(report.part.split for report in reports):
        n_episodes = sum(len(report.facts) for report in reports if report.part.split == split)
        ranges[split] = f"{first}:{first + n_episodes}"
        first += n_episodes
    return ranges


def _describe_columns(reference: dict[str, Any]) -> list[dict[str, Any]]:
    """Return name, path of keys, type and shape of each part of the observation, in the order of the columns."""
    return [
        {"path": name, "dtype": dtype, "shape": shape, "prefix": "text" if dtype == TEXT else "source"}
        for name, (dtype, shape) in reference["leaves"].items()
    ]


def _index_tasks(tasks: list[str]) -> pa.Table:
    """Return the task table with pandas metadata: LeRobot looks tasks up by the index of a data frame."""
    column = {"name": "task_index", "field_name": "task_index", "pandas_type": "int64", "numpy_type": "int64"}
    key = {"name": None, "field_name": "__index_level_0__", "pandas_type": "unicode", "numpy_type": "object"}
    metadata = {
        "index_columns": ["__index_level_0__"],
        "column_indexes": [],
        "columns": [column, key],
        "pandas_version": "2.0",
    }
    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), "__index_level_0__": tasks})
    return table.replace_schema_metadata({"pandas": json.dumps(metadata)})


FORMAT = LeRobotFormat()
