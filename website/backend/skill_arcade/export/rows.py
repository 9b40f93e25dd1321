"""Converts an episode to Arrow rows, one per observation (T + 1). The last row has no action, reward or end flags."""

import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from skill_arcade.dataset.episode import Episode
from skill_arcade.export.episode_facts import ExportedEpisode
from skill_arcade.export.reference import conforming_arrays, leaf_arrays
from skill_arcade.storage.database.transition_columns import MISSING_TIMES, TIMES

BATCH_ROWS = 256
"""Number of rows per batch."""
PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_FIXED = [
    ("episode", pa.int64()),
    ("step", pa.int64()),
    ("action", pa.int64()),
    ("reward", pa.float64()),
    ("terminated", pa.bool_()),
    ("truncated", pa.bool_()),
    ("is_first", pa.bool_()),
    ("is_last", pa.bool_()),
    ("info", pa.string()),
    ("time_us", pa.int64()),
    *((column.name, pa.int64()) for column in TIMES if column.name != "time_created"),
]
DESCRIPTIONS_KEY = "columns"
"""Key of a Parquet file's metadata with the meaning of its columns, as JSON."""
DESCRIPTIONS = {
    "episode": "number of the episode in this export",
    "step": "index of the observation, from 0; the row also has the action that was taken on it",
    "action": "number of the action, from 0; null in the last row of an episode",
    "reward": "reward that the action led to; null in the last row",
    "terminated": "whether the action led to an end state of the environment; null in the last row",
    "truncated": "whether the episode was cut off after the action; null in the last row",
    "is_first": "whether this is the observation of reset",
    "is_last": "whether this is the last observation, on which no action was taken",
    "info": "info that came with the observation, as JSON in the encoding of skill_arcade.exact_json",
    "time_us": "end of the step, microseconds since 1970, server wall clock",
    **{column.name: column.comment for column in TIMES},
    "picture": "frame that the player saw, PNG",
}
FACTS = pa.schema(
    [
        ("episode", pa.int64()),
        *((name, pa.string()) for name in ("episode_id", "player_id", "game_id", "environment")),
        ("seed", pa.int64()),
        ("steps", pa.int64()),
        ("return", pa.float64()),
        *((name, pa.string()) for name in ("status", "end_reason", "reset_info", "time_created")),
        ("duration_seconds", pa.float64()),
        ("certified", pa.bool_()),
        ("latency_p50_ms", pa.float64()),
        ("latency_p95_ms", pa.float64()),
        ("dropped_frames", pa.int64()),
        *(
            (name, pa.string())
            for name in ("input_device", "device", "software", "ghost", "branch", "takeover", "study", "notes")
        ),
    ]
)
EVENTS = pa.schema(
    [
        ("episode", pa.int64()),
        ("number", pa.int64()),
        ("kind", pa.string()),
        ("server_us", pa.int64()),
        ("client_us", pa.int64()),
        ("step", pa.int64()),
        ("data", pa.string()),
    ]
)


def observation_arrays(episode: Episode, reference: dict[str, Any] | None = None) -> dict[str, NDArray[Any]]:
    """Return the observations other than the frames: column name to an array of length T + 1.

    With the reference of its group, the types and shapes are those of the group, or InvalidRequest is raised. The name
    has the keys joined by `.`; of two equal names the second one gets `_` at the end.
    """
    columns: dict[str, NDArray[Any]] = {}
    arrays = leaf_arrays(episode) if reference is None else conforming_arrays(episode, reference)
    for path, array in arrays.items():
        name = ".".join(("observation", *path))
        while name in columns:
            name += "_"
        columns[name] = to_storable(array)
    return columns


def to_storable(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array of a type that Arrow has: complex numbers become pairs, other special types become texts."""
    if array.dtype.kind == "c":
        return np.stack([array.real, array.imag], axis=-1)
    if array.dtype.kind in "mMSV" or array.dtype == np.longdouble:
        return np.array([to_text(row) for row in array], object)
    return array


def to_text(value: Any) -> str:
    """Return a NumPy value of a type that has no other representation, such as a date, as text."""
    return str(value.tolist() if value.dtype.kind in "SV" else value)


def row_schema(episode: Episode, *, pictures: bool, reference: dict[str, Any] | None = None) -> pa.Schema:
    """Return the schema of an episode's rows. Its metadata describes the columns, as JSON."""
    arrays = observation_arrays(episode, reference)
    fields = [*_FIXED, *([("picture", PICTURE)] if pictures else [])]
    described = DESCRIPTIONS | {
        name: f"observation, {'text' if array.dtype.kind in 'UO' else array.dtype} of shape {array.shape[1:]}"
        for name, array in arrays.items()
    }
    schema = pa.schema([*fields, *((name, column_type(array)) for name, array in arrays.items())])
    columns = {name: described[name] for name in schema.names}
    return schema.with_metadata({DESCRIPTIONS_KEY: json.dumps(columns)})


def build_rows(
    exported: ExportedEpisode, *, pictures: bool, reference: dict[str, Any] | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of an episode in batches, so that memory use does not grow with its length."""
    episode = exported.episode
    schema = row_schema(episode, pictures=pictures, reference=reference)
    columns, arrays = _fixed_columns(exported), observation_arrays(episode, reference)
    frames = iter(episode.frames) if pictures else None
    for start in range(0, len(episode.actions) + 1, BATCH_ROWS):
        rows = slice(start, start + BATCH_ROWS)
        arrow_columns = [pa.array(columns[name][rows], type_) for name, type_ in _FIXED]
        if frames is not None:
            n_rows = len(columns["step"][rows])
            arrow_columns.append(pa.array([{"bytes": png(next(frames)), "path": None} for _ in range(n_rows)], PICTURE))
        arrow_columns += [to_column(array[rows]) for array in arrays.values()]
        yield pa.RecordBatch.from_arrays(arrow_columns, schema=schema)


def build_episode_facts(all_facts: list[dict[str, Any]]) -> pa.Table:
    """Return a table with one row per episode. Nested values are JSON."""
    return pa.Table.from_pylist(
        [
            {name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in facts.items()}
            for facts in all_facts
        ],
        FACTS,
    )


def build_events(exported: ExportedEpisode) -> pa.Table:
    """Return a table with one row per event of an episode: inputs, focus changes, clock samples, ..."""
    rows = [
        {
            "episode": exported.number,
            "number": event.number,
            "kind": event.kind,
            "server_us": event.server_us,
            "client_us": event.client_us,
            "step": event.step,
            "data": json.dumps(event.data),
        }
        for event in exported.episode.events
    ]
    return pa.Table.from_pylist(rows, EVENTS)


def png(frame: NDArray[np.uint8]) -> bytes:
    """Encode a frame as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def _fixed_columns(exported: ExportedEpisode) -> dict[str, Any]:
    episode = exported.episode
    n_steps, times = len(episode.actions), episode.times
    infos = [json.dumps(info) for info in (episode.stored_reset_info, *episode.stored_infos)]
    columns: dict[str, Any] = {
        "episode": [exported.number] * (n_steps + 1),
        "step": list(range(n_steps + 1)),
        "is_first": [True] + [False] * n_steps,
        "is_last": [False] * n_steps + [True],
        "info": infos,
        "action": [*episode.actions.tolist(), None],
        "reward": [*episode.rewards.tolist(), None],
        "terminated": [*episode.terminations.tolist(), None],
        "truncated": [*episode.truncations.tolist(), None],
        "time_us": [*times["time_created"].astype(np.int64).tolist(), None],
        "server_us": [*times["server_us"].tolist(), None],
    }
    for name in MISSING_TIMES:
        columns[name] = [None if np.isnan(value) else int(value) for value in times[name]] + [None]
    # No step acts on the last observation, so its paint time is in an event.
    last = [event.client_us for event in episode.events if event.kind == "last-shown"]
    columns["shown_us"][-1] = last[-1] if last else None
    return columns


def column_type(array: NDArray[Any]) -> pa.DataType:
    """Return the Arrow type of one row of a storable array."""
    if array.dtype.kind in "UO":
        return pa.string()
    arrow_columns = pa.from_numpy_dtype(array.dtype)
    for size in reversed(array.shape[1:]):
        arrow_columns = pa.list_(arrow_columns, size)
    return arrow_columns


def to_column(array: NDArray[Any]) -> pa.Array:
    """Return a storable array as an Arrow column."""
    if array.dtype.kind in "UO":
        return pa.array(array.tolist(), pa.string())
    arrow_columns = pa.array(np.ascontiguousarray(array).reshape(-1))
    for size in reversed(array.shape[1:]):
        arrow_columns = pa.FixedSizeListArray.from_arrays(arrow_columns, size)
    return arrow_columns
