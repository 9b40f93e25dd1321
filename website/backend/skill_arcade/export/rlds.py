"""Format RLDS: one Example per episode in TFRecord files, in the layout of TensorFlow Datasets for nested steps.

An Example has lists of bytes, float32 and int64 only. Integers are stored as int64, and TensorFlow Datasets casts them
back to the declared type. Other numbers than float32 are stored as bytes in the declared type. The reward is there
twice: as float32, which RLDS readers expect, and exactly, as `reward_float64`.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skill_arcade.dataset.episode import Episode
from skill_arcade.dataset.takeover import POLICY, take_over_all
from skill_arcade.export.episode_facts import ExportedEpisode, facts_json
from skill_arcade.export.formats import Report
from skill_arcade.export.plan import Part, Plan
from skill_arcade.export.reference import Path as LeafPath
from skill_arcade.export.reference import conforming_arrays
from skill_arcade.export.rows import png, to_text
from skill_arcade.export.tfrecord import RecordFile, Values, write_example
from skill_arcade.storage.database.transition_columns import MISSING_TIMES

VERSION = "1.0.0"
ABSENT = -1
PICTURE_NAME = "picture"


class RldsFormat:
    """Writes `GROUP/1.0.0/` with `features.json`, `dataset_info.json` and one TFRecord file per part."""

    has_splits = True

    def write_part(
        self, part: Part, group: dict[str, Any], episodes: Iterable[ExportedEpisode], folder: Path
    ) -> dict[str, Any]:
        name = name_shard(part, part.split_place)
        features: dict[str, Any] = {}
        n_bytes = 0
        with RecordFile(folder / part.group / VERSION / name) as file:
            for exported in episodes:
                arrays = name_leaves(conforming_arrays(exported.episode, group["reference"]))
                takeover = _list_takeover(exported.episode) if group.get("with_agent") else {}
                features = features or describe_features(exported.episode, arrays, takeover)
                record = write_example(build_example(exported, arrays, takeover))
                n_bytes += len(record)
                file.write(record)
        return {"features": features, "n_bytes": n_bytes}

    def finish(self, plan: Plan, reports: list[Report], folder: Path) -> None:
        """Write the metadata files of TensorFlow Datasets."""
        for name in plan.groups:
            group_reports = [report for report in reports if report.part.group == name]
            folder_path = folder / name / VERSION
            folder_path.mkdir(parents=True, exist_ok=True)
            (folder_path / "features.json").write_text(json.dumps(group_reports[0].more["features"]))
            splits = [
                _describe_split([report for report in group_reports if report.part.split == split], folder_path)
                for split in plan.list_splits(name)
            ]
            info = {"name": name, "version": VERSION, "fileFormat": "tfrecord", "splits": splits}
            (folder_path / "dataset_info.json").write_text(json.dumps(info))

    def load(self, plan: Plan) -> str:
        name = next(iter(plan.groups))
        split = plan.list_splits(name)[0]
        return (
            "import tensorflow_datasets as tfds   # without TensorFlow: skill_arcade.export.tfrecord\n\n"
            f'episodes = tfds.builder_from_directory("{name}/{VERSION}").as_dataset(split="{split}")'
        )


def name_shard(part: Part, place: int) -> str:
    """Return the name of a TFRecord file of the part's split."""
    return f"{part.group}-{part.split}.tfrecord-{place:05d}-of-{part.split_of:05d}"


def _describe_split(reports: list[Report], folder: Path) -> dict[str, Any]:
    """Return the entry of a split in `dataset_info.json`. A part whose episodes were all left out is an empty file."""
    part = reports[0].part
    lengths = {report.part.split_place: len(report.facts) for report in reports}
    for place in range(part.split_of):
        if place not in lengths:
            (folder / name_shard(part, place)).touch()
    return {
        "name": part.split,
        "shardLengths": [str(lengths.get(place, 0)) for place in range(part.split_of)],
        "numBytes": str(sum(report.more["n_bytes"] for report in reports)),
        "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
    }


def name_leaves(arrays: dict[LeafPath, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the arrays by the name of their feature: the keys joined by `.`, or `state`. `picture` is the frame."""
    named: dict[str, NDArray[Any]] = {}
    for path, array in arrays.items():
        name = ".".join(path) or "state"
        while name in {PICTURE_NAME, *named}:
            name += "_"
        named[name] = array
    return named


def build_example(
    exported: ExportedEpisode, arrays: dict[str, NDArray[Any]], takeover: dict[str, NDArray[Any]]
) -> dict[str, Values]:
    """Return the Example of an episode with T + 1 steps. In RLDS the last step's action and reward are invalid."""
    episode = exported.episode
    n_rows = len(episode.actions) + 1
    ends = [index == n_rows - 1 for index in range(n_rows)]
    terminal = bool(episode.terminations.any())
    example: dict[str, Values] = {
        f"steps/observation/{PICTURE_NAME}": [png(frame) for frame in episode.frames],
        "steps/action": np.append(episode.actions, 0),
        "steps/reward": np.append(episode.rewards, 0).astype(np.float32),
        "steps/reward_float64": [value.tobytes() for value in np.append(episode.rewards, 0).astype("<f8")],
        "steps/discount": np.array([0.0 if end and terminal else 1.0 for end in ends], np.float32),
        "steps/is_first": np.array([index == 0 for index in range(n_rows)], np.int64),
        "steps/is_last": np.array(ends, np.int64),
        "steps/is_terminal": np.array([end and terminal for end in ends], np.int64),
        "steps/info": [
            json.dumps(info, allow_nan=False).encode() for info in (episode.stored_reset_info, *episode.stored_infos)
        ],
        "steps/server_us": np.append(episode.times["server_us"], ABSENT),
        "episode_metadata/facts": [facts_json(exported.facts).encode()],
        "episode_metadata/events": [
            json.dumps([[e.kind, e.server_us, e.client_us, e.step, e.data] for e in episode.events]).encode()
        ],
    }
    for name in MISSING_TIMES:
        times = np.append(episode.times[name], np.nan)
        example[f"steps/{name}"] = np.where(np.isnan(times), ABSENT, np.nan_to_num(times)).astype(np.int64)
    for name, array in arrays.items():
        example[f"steps/observation/{name}"] = _flat(array)
    for name, array in takeover.items():
        example[f"steps/{name}"] = _flat(array)
    return example


def _list_takeover(episode: Episode) -> dict[str, NDArray[Any]]:
    """Return who acted at each of the T + 1 steps, by the names of the RLDS data set of Sirius (`austin_sirius...`)."""
    takeover = episode.takeover or take_over_all(episode.actions)
    return {
        "actor": np.append(takeover.actors, POLICY),
        "is_intervention": np.append(takeover.is_intervention, False),
        "action_mode": np.append(takeover.is_intervention.astype(np.int64), POLICY),
        "intv_label": np.append(takeover.intervention_labels, POLICY),
        "intervention_reason": np.append(takeover.reason_codes, ABSENT),
        "is_near_switch": np.append(takeover.is_near_switch, False),
        "agent_action": np.append(takeover.agent_actions, ABSENT),
        "human_action": np.append(takeover.human_actions, ABSENT),
    }


def describe_features(
    episode: Episode, arrays: dict[str, NDArray[Any]], takeover: dict[str, NDArray[Any]]
) -> dict[str, Any]:
    """Return `features.json`: the type of each list in an Example."""
    _, height, width, _ = episode.frames.shape
    observation_features: dict[str, Any] = {PICTURE_NAME: _image(height, width)}
    for name, array in arrays.items():
        observation_features[name] = _tensor(array)
    scalar = {
        **{name: _scalar("float32") for name in ("reward", "discount")},
        **{name: _scalar("bool") for name in ("is_first", "is_last", "is_terminal")},
        **{name: _scalar("int64") for name in ("action", "server_us", *MISSING_TIMES)},
        **{name: _scalar(array.dtype.name) for name, array in takeover.items()},
        "info": _text(),
        "reward_float64": _tensor(episode.rewards),
    }
    steps = _dictionary({"observation": _dictionary(observation_features), **scalar})
    metadata_features = _dictionary({"facts": _text(), "events": _text()})
    dataset = {"pythonClassName": f"{_MODULE}.dataset_feature.Dataset", "sequence": {"feature": steps, "length": "-1"}}
    return _dictionary({"steps": dataset, "episode_metadata": metadata_features})


_MODULE = "tensorflow_datasets.core.features"


def _is_text(array: NDArray[Any]) -> bool:
    return array.dtype.kind in "UOSMmV" or array.dtype == np.longdouble


def _flat(array: NDArray[Any]) -> Values:
    if array.dtype.kind == "S" and array.ndim == 1:
        return [bytes(value) for value in array]
    if _is_text(array):
        texts = array.tolist() if array.dtype.kind in "UO" else [to_text(row) for row in array]
        return [str(text).encode("utf-8", "surrogatepass") for text in texts]
    if array.dtype.kind in "iub":
        return array.astype(np.int64).reshape(-1)
    if array.dtype == np.float32:
        return array.reshape(-1)
    return [row.tobytes() for row in array.astype(array.dtype.newbyteorder("<"))]


def _tensor(array: NDArray[Any]) -> dict[str, Any]:
    if _is_text(array):
        return _text()
    shape = {"shape": {"dimensions": [str(size) for size in array.shape[1:]]}}
    is_listed = array.dtype.kind in "iub" or array.dtype == np.float32
    return {
        "pythonClassName": f"{_MODULE}.tensor_feature.Tensor",
        "tensor": {**shape, "dtype": array.dtype.name, "encoding": "none" if is_listed else "bytes"},
    }


def _scalar(dtype: str) -> dict[str, Any]:
    return {"pythonClassName": f"{_MODULE}.scalar.Scalar", "tensor": {"shape": {}, "dtype": dtype, "encoding": "none"}}


def _text() -> dict[str, Any]:
    return {"pythonClassName": f"{_MODULE}.text_feature.Text", "text": {}}


def _image(height: int, width: int) -> dict[str, Any]:
    shape = {"dimensions": [str(height), str(width), "3"]}
    return {
        "pythonClassName": f"{_MODULE}.image_feature.Image",
        "image": {"shape": shape, "dtype": "uint8", "encodingFormat": "png"},
    }


def _dictionary(parts: dict[str, Any]) -> dict[str, Any]:
    return {"pythonClassName": f"{_MODULE}.features_dict.FeaturesDict", "featuresDict": {"features": parts}}


FORMAT = RldsFormat()
