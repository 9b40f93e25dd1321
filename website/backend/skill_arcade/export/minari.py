"""Format of Minari: its Parquet layout for `minari.load_dataset`, with lossless frames.

`minari.create_dataset_from_buffers` is not used, because it needs all episodes in memory at once.
"""

import json
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from string import printable
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
from skill_arcade.export.episode_facts import ExportedEpisode, facts_json
from skill_arcade.export.formats import Report
from skill_arcade.export.plan import Part, Plan
from skill_arcade.export.reference import conforming_arrays, info_column, plain_infos
from skill_arcade.export.rows import to_storable
from skill_arcade.recording.observation import ROOT_NAME
from skill_arcade.storage.database.transition_columns import MISSING_TIMES

NAMESPACE = "skill-arcade"
MAX_ROWS = 131_072
"""Maximum number of rows of an episode. Minari's reader splits a longer one into several episodes."""
BATCH_ROWS = 32
"""Number of rows per batch. While it writes a batch, Parquet needs four additional bytes per byte of a frame."""
MAX_TEXT = 4096
"""`max_length` of the space of a text."""
PICTURE_INFO = "picture"
"""Info with the picture, if that is not the observation."""
TEXT_INFO = "info_json"
"""Info with the environment's whole info as JSON; see `skill_arcade.exact_json`."""
_TIMES = tuple(name for name in MISSING_TIMES if name != "shown_us")


class MinariFormat:
    """Writes `skill-arcade/GROUP/human-v0/data/` with metadata and one folder per episode."""

    has_offsets = True

    def write_part(
        self, part: Part, group: dict[str, Any], episodes: Iterable[ExportedEpisode], folder: Path
    ) -> dict[str, Any]:
        """Write a part. Raises InvalidRequest for an episode that is too long for Minari's reader."""
        layout: Layout | None = None
        packages: dict[str, str] = {}
        for place, exported in enumerate(episodes):
            layout = layout or Layout(group, exported.episode)
            packages = packages or exported.episode.environment.get("packages", {})
            index = part.offset + place
            data = folder / _data_folder(part.group) / str(index)
            write_episode(exported, layout, data)
            (data / "metadata.json").write_text(facts_json(_episode_metadata(index, exported)))
        assert layout is not None  # a part has episodes
        return {**layout.describe(), "packages": packages}

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
                "observation_space": json.dumps(
                    _merge_texts([json.loads(report.more["observation_space"]) for report in group_reports])
                ),
                "action_space": group_reports[0].more["action_space"],
                "requirements": _requirements(group, group_reports[0].more["packages"]),
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


def write_episode(exported: ExportedEpisode, layout: "Layout", folder: Path) -> None:
    """Write an episode as one row group. A memory-mapped temporary file avoids having all frames in memory.

    Raises:
        InvalidRequest: the episode has more observations than Minari's reader supports, or differs from its group.
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
    for batch in _build_batches(episode, layout):
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


def _build_batches(episode: Episode, layout: "Layout") -> Iterable[pa.RecordBatch]:
    n_rows = len(episode.actions) + 1
    infos = _infos(episode, layout.reference)
    texts = [json.dumps(info) for info in (episode.stored_reset_info, *episode.stored_infos)]
    arrays = layout.arrange(episode)
    pad = np.zeros(1, np.int64)
    columns = {
        "actions": np.concatenate([episode.actions + layout.first_action, pad + layout.first_action]),
        "rewards": np.concatenate([episode.rewards, pad]),
        "terminations": np.concatenate([episode.terminations, pad.astype(bool)]),
        "truncations": np.concatenate([episode.truncations, pad.astype(bool)]),
    }
    for start in range(0, n_rows, BATCH_ROWS):
        rows = slice(start, min(start + BATCH_ROWS, n_rows))
        pictures = episode.frames[rows]
        info_columns = {name: values[rows] for name, values in infos.items()}
        if arrays is None:
            observations = _fixed(pictures)
        else:
            info_columns[PICTURE_INFO] = pictures
            observations = _encode(arrays, rows)
        batch_columns = {
            "observations": observations,
            **{name: pa.array(values[rows]) for name, values in columns.items()},
        }
        yield pa.RecordBatch.from_pydict({**batch_columns, "infos": _struct(info_columns, texts[rows])})


class Layout:
    """The spaces of a group, and how its recorded arrays are arranged in them.

    The observation space is the one that the environment declares, with two changes: texts become `Text`, because
    Minari cannot store the spaces of some environments, and a `Box` has the type that was recorded.
    """

    def __init__(self, group: dict[str, Any], episode: Episode) -> None:
        """Create the layout.

        Raises:
            InvalidRequest: the environment declares another structure or shape than it returned.
        """
        self.reference: dict[str, Any] = group["reference"]
        environment: gymnasium.Env[Any, Any] = gymnasium.make(
            find_spec(group["id"]), **group["kwargs"], disable_env_checker=True
        )
        self._declared: spaces.Space[Any] = environment.observation_space
        self.action_space = environment.action_space
        environment.close()
        self._characters = set(printable)
        self.first_action = int(self.action_space.start) if isinstance(self.action_space, spaces.Discrete) else 0
        self._is_wrapped = isinstance(self._declared, spaces.Dict) and list(self._declared.spaces) == [ROOT_NAME]
        tree = self.arrange(episode)
        self.observation_space = (
            spaces.Box(0, 255, episode.frames.shape[1:], np.uint8)
            if tree is None
            else _find_space(tree, self._declared, "observation")
        )

    def arrange(self, episode: Episode) -> "Tree | None":
        """Return the recorded arrays as a tree of keys; None if the observations are the frames."""
        arrays = conforming_arrays(episode, self.reference)
        if not arrays:
            return None
        for array in arrays.values():
            if array.dtype.kind in "UO":
                self._characters.update("".join(array.tolist()))
        if list(arrays) == [()] and self._is_wrapped:
            arrays = {(ROOT_NAME,): arrays[()]}
        tree: Any = {}
        for path, array in arrays.items():
            if not path:
                return _storable(array)
            node = tree
            for key in path[:-1]:
                node = node.setdefault(key, {})
            node[path[-1]] = _storable(array)
        result: Tree = tree
        return result

    def describe(self) -> dict[str, str]:
        """Return the spaces as Minari stores them, with the characters of all texts so far."""
        described = json.loads(serialize_space(self.observation_space))
        return {
            "observation_space": json.dumps(_merge_texts([described, _with_charset(described, self._characters)])),
            "action_space": serialize_space(self.action_space),
        }


Tree = dict[str, "Tree"] | NDArray[Any]


def _find_space(tree: Tree, declared: spaces.Space[Any] | None, name: str) -> spaces.Space[Any]:
    """Return the space of recorded arrays, by the structure and the limits of the declared space."""
    if isinstance(tree, dict):
        if isinstance(declared, spaces.Tuple):
            keys = [str(index) for index in range(len(tree))]
            if set(keys) != set(tree) or len(declared.spaces) != len(keys):
                raise InvalidRequest(f"{name} has {len(tree)} parts; its space declares {len(declared.spaces)}.")
            return spaces.Tuple([_find_space(tree[key], declared[int(key)], f"{name}/{key}") for key in keys])
        parts = {str(key): part for key, part in declared.spaces.items()} if isinstance(declared, spaces.Dict) else {}
        return spaces.Dict({key: _find_space(tree[key], parts.get(key), f"{name}/{key}") for key in tree})
    if tree.dtype.kind in "UO":
        return spaces.Text(MAX_TEXT, min_length=0, charset=printable)
    shape = tree.shape[1:]
    if isinstance(declared, spaces.Box | spaces.MultiBinary | spaces.MultiDiscrete | spaces.Discrete):
        if isinstance(declared, spaces.Discrete) and shape == () and tree.dtype.kind in "iu":
            return declared
        if tuple(declared.shape or ()) != shape and declared.dtype.kind != "c":
            raise InvalidRequest(
                f"{name} has the shape {shape}; its space declares {declared}. Minari would read other values, so use "
                "the format parquet, or correct the environment."
            )
        if isinstance(declared, spaces.MultiBinary | spaces.MultiDiscrete):
            return declared
        if isinstance(declared, spaces.Box) and declared.shape == shape:
            return _cast_box(declared, tree.dtype)
    return _cast_box(spaces.Box(-np.inf, np.inf, shape, np.float64), tree.dtype)


def _cast_box(box: spaces.Box, dtype: np.dtype[Any]) -> spaces.Box:
    """Return a Box with these limits and another type. Limits outside of the type become those of the type."""
    if box.dtype == dtype:
        return box
    limits = (np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype)) if dtype.kind in "iuf" else None
    if limits is None:
        return spaces.Box(0, 1, box.shape, np.int8)
    with np.errstate(all="ignore"):
        low = np.where(box.low <= float(limits.min), limits.min, box.low.astype(dtype))
        high = np.where(box.high >= float(limits.max), limits.max, box.high.astype(dtype))
    if dtype.kind == "f":
        low, high = np.where(np.isinf(box.low), box.low, low), np.where(np.isinf(box.high), box.high, high)
    return spaces.Box(low.astype(dtype), high.astype(dtype), box.shape, dtype.type)


def _storable(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array of a type that Minari can store. Booleans become int8."""
    return array.astype(np.int8) if array.dtype.kind == "b" else to_storable(array)


def _infos(episode: Episode, reference: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """Return the numeric infos and the times with shape (T + 1, n): Minari cannot read scalars from Parquet."""
    rows = plain_infos(episode)
    reserved = {*_TIMES, "server_us", "shown_us", PICTURE_INFO, TEXT_INFO}
    columns = {
        f"info.{name}" if name in reserved else name: info_column(rows, name, length)
        for name, length in reference["infos"].items()
    }
    times = episode.times
    # Info i + 1 was returned by step i, but the paint time i belongs to observation i.
    columns["server_us"] = np.array([0.0, *times["server_us"].astype(float)])
    columns |= {name: np.array([np.nan, *times[name]]) for name in _TIMES}
    last = [event.client_us for event in episode.events if event.kind == "last-shown"]
    columns["shown_us"] = np.array([*times["shown_us"], last[-1] if last and last[-1] is not None else np.nan])
    return {name: values.reshape(len(rows), -1) for name, values in columns.items()}


def _struct(columns: dict[str, NDArray[Any]], texts: list[str]) -> pa.StructArray:
    arrays = [_fixed(array) for array in columns.values()]
    fields = [
        pa.field(name, array.type, metadata={"shape": ",".join(map(str, columns[name].shape[1:]))})
        for name, array in zip(columns, arrays, strict=True)
    ]
    return pa.StructArray.from_arrays([*arrays, pa.array(texts)], fields=[*fields, pa.field(TEXT_INFO, pa.string())])


def _encode(tree: Tree, rows: slice) -> pa.Array:
    """Return these rows of the observations, nested like the tree."""
    if isinstance(tree, dict):
        return pa.StructArray.from_arrays([_encode(part, rows) for part in tree.values()], names=list(tree))
    return _fixed(tree[rows])


def _fixed(array: NDArray[Any]) -> pa.Array:
    """Return an array of fixed-size rows, as Minari stores a Box. One-dimensional arrays stay as they are."""
    if array.ndim == 1:
        return pa.array(array.tolist(), pa.string()) if array.dtype.kind in "UO" else pa.array(array)
    flat = np.ascontiguousarray(array).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(flat, int(np.prod(array.shape[1:])))


def _episode_metadata(index: int, exported: ExportedEpisode) -> dict[str, Any]:
    infos = [exported.episode.stored_reset_info, *exported.episode.stored_infos]
    changes = [[i, info] for i, info in enumerate(infos) if i == 0 or info != infos[i - 1]]
    events = [[one.kind, one.server_us, one.client_us, one.step, one.data] for one in exported.episode.events]
    info_columns = {name: value for name, value in exported.facts.items() if name not in ("episode", "steps")}
    facts = {"id": index, "total_steps": exported.facts["steps"], "options": {}, **info_columns}
    return {**facts, "info_changes": changes, "events": events}


def _requirements(group: dict[str, Any], packages: dict[str, str]) -> list[str]:
    """Return the packages that `recover_environment` needs, as Minari lists them for the user."""
    needed = {"gymnasium", "ale-py"} if group["id"].rpartition(":")[2].startswith("ALE/") else {"gymnasium"}
    if (module := group["id"].rpartition(":")[0].partition(".")[0].replace("_", "-")) in packages:
        needed.add(module)
    if group["id"].rpartition(":")[2].startswith("SkillArcade/"):
        needed.add("skill-arcade")
    return [f"{name}=={packages[name]}" for name in sorted(needed & packages.keys())]


def _with_charset(description: Any, characters: set[str]) -> Any:
    """Return the description of a space whose texts may have these characters."""
    if isinstance(description, list):
        return [_with_charset(part, characters) for part in description]
    if not isinstance(description, dict) or description.get("type") == "Box":
        return description
    if description.get("type") == "Text":
        return {**description, "charset": "".join(sorted(characters))}
    return {key: _with_charset(part, characters) for key, part in description.items()}


def _merge_texts(descriptions: list[Any]) -> Any:
    """Return a description of a space whose texts may have the characters of all descriptions.

    A box has no texts, but up to 100,000 limits for a picture.
    """
    first = descriptions[0]
    if isinstance(first, list):
        return [_merge_texts(list(parts)) for parts in zip(*descriptions, strict=True)]
    if not isinstance(first, dict) or first.get("type") == "Box":
        return first
    if first.get("type") == "Text":
        return {**first, "charset": "".join(sorted({one for space in descriptions for one in space["charset"]}))}
    return {key: _merge_texts([space[key] for space in descriptions]) for key in first}


def _data_folder(group: str) -> str:
    return f"{NAMESPACE}/{group}/human-v0/data"


FORMAT = MinariFormat()
