"""Format of Minari: its Parquet layout for `minari.load_dataset`, with lossless frames.

`minari.create_dataset_from_buffers` is not used, because it needs all episodes in memory at once.
"""

import json
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from gymnasium import spaces
from minari.serialization import serialize_space
from numpy.typing import NDArray

from skill_arcade.dataset.episode import Episode
from skill_arcade.environments.factory import find_spec
from skill_arcade.errors import InvalidRequest
from skill_arcade.export.episode_facts import ExportedEpisode
from skill_arcade.export.formats import Report
from skill_arcade.export.plan import Part, Plan
from skill_arcade.export.rows import observation_arrays

NAMESPACE = "skill-arcade"
MAX_ROWS = 131_072
"""Maximum number of rows of an episode. Minari's reader splits a longer one into several episodes."""
BATCH_ROWS = 32
"""Number of rows per batch. While it writes a batch, Parquet needs four additional bytes per byte of a frame."""
_TIMES = ("late_us", "input_us", "input_received_us", "input_frame")


class MinariFormat:
    """Writes `skill-arcade/GROUP/human-v0/data/` with metadata and one folder per episode."""

    has_offsets = True

    def write_part(
        self, part: Part, group: dict[str, Any], episodes: Iterable[ExportedEpisode], folder: Path
    ) -> dict[str, Any]:
        """Write a part. Raises InvalidRequest for an episode that is too long for Minari's reader."""
        batch_columns: dict[str, Any] = {}
        for place, exported in enumerate(episodes):
            if not batch_columns:
                batch_columns = _describe_spaces(group, exported.episode)
            index = part.offset + place
            data = folder / _data_folder(part.group) / str(index)
            write_episode(exported, data)
            (data / "metadata.json").write_text(json.dumps(_episode_metadata(index, exported)))
        return batch_columns

    def finish(self, plan: Plan, reports: list[Report], folder: Path) -> None:
        (folder / NAMESPACE).mkdir(exist_ok=True)
        (folder / NAMESPACE / "namespace_metadata.json").write_text(json.dumps({"description": "Skill Arcade"}))
        for name, group in plan.groups.items():
            group_reports = [report for report in reports if report.part.group == name]
            data = folder / _data_folder(name)
            size = sum(file["bytes"] for report in group_reports for file in report.files.values())
            metadata = {
                "dataset_id": f"{NAMESPACE}/{name}/human-v0",
                "total_episodes": sum(len(report.facts) for report in group_reports),
                "total_steps": sum(facts["steps"] for report in group_reports for facts in report.facts),
                "data_format": "parquet",
                "jpeg_encoding": False,
                **group_reports[0].more,
                "dataset_size": round(size / 1_000_000, 1),
                "algorithm_name": "human",
                "author": ["Skill Arcade"],
                "description": f"People play {group['id']}. See README.md of the export.",
                "minari_version": version("minari"),
            }
            if group["gymnasium"] is not None:
                metadata["env_spec"] = json.dumps(group["gymnasium"])
            data.mkdir(parents=True, exist_ok=True)
            (data / "metadata.json").write_text(json.dumps(metadata))

    def load(self, plan: Plan) -> str:
        name = next(iter(plan.groups))
        return (
            'import os\n\nos.environ["MINARI_DATASETS_PATH"] = "."   # this folder\n\nimport minari\n\n'
            f'dataset = minari.load_dataset("{NAMESPACE}/{name}/human-v0")'
        )


def write_episode(exported: ExportedEpisode, folder: Path) -> None:
    """Write an episode as one row group. A memory-mapped temporary file avoids having all frames in memory.

    Raises:
        InvalidRequest: the episode has more observations than Minari's reader supports.
    """
    episode = exported.episode
    if len(episode.actions) >= MAX_ROWS:
        raise InvalidRequest(
            f"Episode {exported.number} has {len(episode.actions)} steps, but Minari reads at most {MAX_ROWS - 1}: "
            f'use the format parquet, or add --where "steps < {MAX_ROWS}".'
        )
    folder.mkdir(parents=True)
    temporary = folder / "rows.arrow"
    writer = None
    for batch in _build_batches(episode):
        if writer is None:
            writer = pa.ipc.new_file(str(temporary), batch.schema)
        writer.write_batch(batch)
    assert writer is not None
    writer.close()
    with pa.memory_map(str(temporary)) as memory_map:
        table = pa.ipc.open_file(memory_map).read_all()
        pq.write_table(table, folder / "part-0.parquet", row_group_size=MAX_ROWS, compression="zstd")
        del table
    temporary.unlink()


def _build_batches(episode: Episode) -> Iterable[pa.RecordBatch]:
    n_rows = len(episode.actions) + 1
    infos = _infos(episode)
    arrays = observation_arrays(episode)
    pad = np.zeros(1, np.int64)
    columns = {
        "actions": np.concatenate([episode.actions, pad]),
        "rewards": np.concatenate([episode.rewards, pad]),
        "terminations": np.concatenate([episode.terminations, pad.astype(bool)]),
        "truncations": np.concatenate([episode.truncations, pad.astype(bool)]),
    }
    for start in range(0, n_rows, BATCH_ROWS):
        rows = slice(start, min(start + BATCH_ROWS, n_rows))
        pictures = episode.frames[rows]
        info_columns = {name: values[rows] for name, values in infos.items()}
        if arrays:
            info_columns["picture"] = pictures
            observations = _nest(
                {name.removeprefix("observation").removeprefix("."): a[rows] for name, a in arrays.items()}
            )
        else:
            observations = _fixed(pictures)
        batch_columns = {
            "observations": observations,
            **{name: pa.array(values[rows]) for name, values in columns.items()},
        }
        yield pa.RecordBatch.from_pydict({**batch_columns, "infos": _struct(info_columns)})


def _infos(episode: Episode) -> dict[str, NDArray[Any]]:
    """Return the numeric infos and the times with shape (T + 1, 1): Minari cannot read scalars from Parquet."""
    rows = [episode.reset_info, *episode.infos]
    names = sorted({name for info in rows for name, value in info.items() if isinstance(value, int | float)})
    columns = {name: [_to_float(info.get(name)) for info in rows] for name in names}
    times = episode.times
    # Info i + 1 was returned by step i, but the paint time i belongs to observation i.
    columns["server_us"] = [0.0, *times["server_us"].astype(float)]
    columns |= {name: [np.nan, *times[name]] for name in _TIMES}
    last = [event.client_us for event in episode.events if event.kind == "last-shown"]
    columns["shown_us"] = [*times["shown_us"], last[-1] if last and last[-1] is not None else np.nan]
    return {name: np.array(values, np.float64).reshape(-1, 1) for name, values in columns.items()}


def _to_float(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else np.nan


def _struct(columns: dict[str, NDArray[Any]]) -> pa.StructArray:
    arrays = [_fixed(array) for array in columns.values()]
    fields = [
        pa.field(name, batch_columns.type, metadata={"shape": ",".join(map(str, columns[name].shape[1:]))})
        for name, batch_columns in zip(columns, arrays, strict=True)
    ]
    return pa.StructArray.from_arrays(arrays, fields=fields)


def _nest(arrays: dict[str, NDArray[Any]]) -> pa.Array:
    """Nest columns by path into structures; the empty path is the whole observation."""
    if list(arrays) == [""]:
        return _fixed(arrays[""])
    parts: dict[str, dict[str, NDArray[Any]]] = {}
    for path, array in arrays.items():
        key, _, rest = path.partition(".")
        parts.setdefault(key, {})[rest] = array
    return pa.StructArray.from_arrays([_nest(part) for part in parts.values()], names=list(parts))


def _fixed(array: NDArray[Any]) -> pa.Array:
    """Return an array of fixed-size rows, as Minari stores a Box. One-dimensional arrays stay as they are."""
    if array.ndim == 1:
        return pa.array(array.tolist() if array.dtype.kind == "U" else array)
    flat = np.ascontiguousarray(array).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(flat, int(np.prod(array.shape[1:])))


def _episode_metadata(index: int, exported: ExportedEpisode) -> dict[str, Any]:
    infos = [exported.episode.stored_reset_info, *exported.episode.stored_infos]
    changes = [[i, info] for i, info in enumerate(infos) if i == 0 or info != infos[i - 1]]
    events = [[one.kind, one.server_us, one.client_us, one.step, one.data] for one in exported.episode.events]
    info_columns = {name: value for name, value in exported.facts.items() if name not in ("episode", "steps")}
    facts = {"id": index, "total_steps": exported.facts["steps"], "options": {}, **info_columns}
    return {**facts, "info_changes": changes, "events": events}


def _describe_spaces(group: dict[str, Any], episode: Episode) -> dict[str, Any]:
    environment: gymnasium.Env[Any, Any] = gymnasium.make(find_spec(group["id"]), **group["kwargs"])
    observed: spaces.Space[Any] = environment.observation_space
    acted = environment.action_space
    environment.close()
    if not observation_arrays(episode):
        observed = spaces.Box(0, 255, episode.frames.shape[1:], np.uint8)
    return {"observation_space": serialize_space(observed), "action_space": serialize_space(acted)}


def _data_folder(group: str) -> str:
    return f"{NAMESPACE}/{group}/human-v0/data"


FORMAT = MinariFormat()
