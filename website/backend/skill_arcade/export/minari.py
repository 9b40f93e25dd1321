"""Minari: what `minari.load_dataset` reads, in its Parquet layout, never as JPEG.

Written here rather than by `minari.create_dataset_from_buffers`, which wants all episodes in memory at once.
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
# More rows come out of its reader as several episodes.
MAX_ROWS = 131_072
"""Rows of one episode that Minari reads from one Parquet row group; longer episodes are rejected."""
# Parquet keeps four bytes beside each byte of a picture while it writes a piece.
BATCH = 32
_TIMES = ("late_us", "input_us", "input_received_us", "input_frame")


class MinariFormat:
    """`skill-arcade/GROUP/human-v0/data/`: a folder for each episode, and metadata."""

    def write_part(
        self, part: Part, group: dict[str, Any], episodes: Iterable[ExportedEpisode], folder: Path
    ) -> dict[str, Any]:
        """Write a part. Raises InvalidRequest for an episode that Minari's reader can't take."""
        made: dict[str, Any] = {}
        for place, numbered in enumerate(episodes):
            if not made:
                made = _describe_spaces(group, numbered.episode)
            index = part.offset + place
            data = folder / _data_folder(part.group) / str(index)
            write_episode(numbered, data)
            (data / "metadata.json").write_text(json.dumps(_episode_metadata(index, numbered)))
        return made

    def finish(self, plan: Plan, reports: list[Report], folder: Path) -> None:
        """Write each dataset's metadata."""
        (folder / NAMESPACE).mkdir(exist_ok=True)
        (folder / NAMESPACE / "namespace_metadata.json").write_text(json.dumps({"description": "Skill Arcade"}))
        for name, group in plan.groups.items():
            ours = [report for report in reports if report.part.group == name]
            data = folder / _data_folder(name)
            size = sum(file["bytes"] for report in ours for file in report.files.values())
            metadata = {
                "dataset_id": f"{NAMESPACE}/{name}/human-v0",
                "total_episodes": sum(len(report.facts) for report in ours),
                "total_steps": sum(facts["steps"] for report in ours for facts in report.facts),
                "data_format": "parquet",
                "jpeg_encoding": False,
                **ours[0].more,
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
        """With Minari."""
        name = next(iter(plan.groups))
        return (
            'import os\n\nos.environ["MINARI_DATASETS_PATH"] = "."   # this folder\n\nimport minari\n\n'
            f'dataset = minari.load_dataset("{NAMESPACE}/{name}/human-v0")'
        )


def write_episode(numbered: ExportedEpisode, folder: Path) -> None:
    """Write an episode as one row group, through a file that is mapped, so that its pixels are never all in memory.

    Raises:
        InvalidRequest: it has more observations than Minari's reader takes.
    """
    episode = numbered.episode
    if len(episode.actions) >= MAX_ROWS:
        raise InvalidRequest(
            f"Episode {numbered.number} has {len(episode.actions)} steps, Minari reads {MAX_ROWS - 1} at most: "
            f'export it as parquet, or add --where "steps < {MAX_ROWS}".'
        )
    folder.mkdir(parents=True)
    passing = folder / "rows.arrow"
    writer = None
    for batch in _build_batches(episode):
        if writer is None:
            writer = pa.ipc.new_file(str(passing), batch.schema)
        writer.write_batch(batch)
    assert writer is not None
    writer.close()
    with pa.memory_map(str(passing)) as mapped:
        table = pa.ipc.open_file(mapped).read_all()
        pq.write_table(table, folder / "part-0.parquet", row_group_size=MAX_ROWS, compression="zstd")
        del table
    passing.unlink()


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
    for start in range(0, n_rows, BATCH):
        rows = slice(start, min(start + BATCH, n_rows))
        pictures = episode.frames[rows]
        told = {name: values[rows] for name, values in infos.items()}
        if arrays:
            told["picture"] = pictures
            seen = _nest({name.removeprefix("observation").removeprefix("."): a[rows] for name, a in arrays.items()})
        else:
            seen = _fixed(pictures)
        made = {"observations": seen, **{name: pa.array(values[rows]) for name, values in columns.items()}}
        yield pa.RecordBatch.from_pydict({**made, "infos": _struct(told)})


def _infos(episode: Episode) -> dict[str, NDArray[Any]]:
    """Numbers of info, and times, as (T + 1, 1): scalars do not come back from Minari's Parquet."""
    rows = [episode.reset_info, *episode.infos]
    names = sorted({name for info in rows for name, value in info.items() if isinstance(value, int | float)})
    columns = {name: [_to_float(info.get(name)) for info in rows] for name in names}
    times = episode.times
    # Info i + 1 came with step i; an observation was painted by itself.
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
        pa.field(name, made.type, metadata={"shape": ",".join(map(str, columns[name].shape[1:]))})
        for name, made in zip(columns, arrays, strict=True)
    ]
    return pa.StructArray.from_arrays(arrays, fields=fields)


def _nest(arrays: dict[str, NDArray[Any]]) -> pa.Array:
    """Columns by path as structures in structures; the path '' is the whole."""
    if list(arrays) == [""]:
        return _fixed(arrays[""])
    parts: dict[str, dict[str, NDArray[Any]]] = {}
    for path, array in arrays.items():
        head, _, rest = path.partition(".")
        parts.setdefault(head, {})[rest] = array
    return pa.StructArray.from_arrays([_nest(part) for part in parts.values()], names=list(parts))


def _fixed(array: NDArray[Any]) -> pa.Array:
    """Rows of one size each, as Minari keeps a Box; numbers and texts as they are."""
    if array.ndim == 1:
        return pa.array(array.tolist() if array.dtype.kind == "U" else array)
    flat = np.ascontiguousarray(array).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(flat, int(np.prod(array.shape[1:])))


def _episode_metadata(index: int, numbered: ExportedEpisode) -> dict[str, Any]:
    infos = [numbered.episode.stored_reset_info, *numbered.episode.stored_infos]
    changes = [[i, info] for i, info in enumerate(infos) if i == 0 or info != infos[i - 1]]
    events = [[one.kind, one.server_us, one.client_us, one.step, one.data] for one in numbered.episode.events]
    told = {name: value for name, value in numbered.facts.items() if name not in ("episode", "steps")}
    facts = {"id": index, "total_steps": numbered.facts["steps"], "options": {}, **told}
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
