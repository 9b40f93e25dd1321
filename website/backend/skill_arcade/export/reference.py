"""The types and shapes that all episodes of a group have in common.

Most libraries need the same columns in all files of a dataset, and parts are written independently of each other. So
the plan records the types, shapes and infos of one episode per group, its reference, and the others must fit to it.
"""

import json
from collections.abc import Iterable
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from skill_arcade.dataset.episode import Episode
from skill_arcade.environments.factory import find_spec
from skill_arcade.errors import InvalidRequest, NotReady, RecordingDamaged
from skill_arcade.exact_json import decode_value, encode_value, remove_types
from skill_arcade.recording.observation import ROOT_NAME, split_path

TEXT = "text"
MAX_RATE_ERROR = 0.02
"""Difference in Hz below which a frame rate is an integer."""
Path = tuple[str, ...]


TURN_BASED_FPS = 1
"""Nominal frame rate of turn-based games in Hz."""


def describe_reference(episodes: Iterable[Episode]) -> dict[str, Any] | None:
    """Describe the first episode that can be read; return None if none can be.

    The result has `leaves` (type and shape by name), `frame` (height and width), `infos` (see `info_column`), `fps`,
    and `actions` (first action and number of actions; None if the environment cannot be made here).
    """
    for episode in episodes:
        try:
            arrays = leaf_arrays(episode)
            return {
                "leaves": {_join(path): [_dtype_name(array), list(array.shape[1:])] for path, array in arrays.items()},
                "frame": list(episode.frames.shape[1:3]),
                "infos": _describe_infos(episode),
                "fps": find_rate(episode),
                "actions": _describe_actions(episode.environment),
            }
        except (NotReady, OSError, MemoryError):
            raise
        except Exception:  # noqa: BLE001  (a damaged episode; the export leaves it out with a reason)
            continue
    return None


def find_rate(episode: Episode) -> float:
    """Return the number of steps per second, an integer if it is close to one; `TURN_BASED_FPS` if turn-based."""
    times = episode.times
    if len(times) < 2 or np.isnan(times["late_us"]).all():
        return TURN_BASED_FPS
    # The deadlines are even; a start of a step may be late. Half of the steps are enough to see the rate.
    rate = 1e6 / float(np.median(np.diff(times["server_us"] - np.nan_to_num(times["late_us"]))))
    return max(1, round(rate)) if abs(rate - round(rate)) < MAX_RATE_ERROR else round(rate, 3)


def _describe_actions(environment: dict[str, Any]) -> list[int] | None:
    try:
        made: gymnasium.Env[Any, Any] = gymnasium.make(
            find_spec(environment["id"]), **environment["kwargs"], disable_env_checker=True
        )
    except Exception:  # noqa: BLE001  (its package may be missing, or too new)
        return None
    space = made.action_space
    made.close()
    return [int(space.start), int(space.n)] if isinstance(space, spaces.Discrete) else None


def list_texts(episodes: Iterable[Episode]) -> list[str]:
    """Return the different first texts of the observations, such as missions, sorted."""
    found: set[str] = set()
    for episode in episodes:
        try:
            texts = [array for array in leaf_arrays(episode).values() if array.dtype.kind in "UO"]
        except RecordingDamaged:
            continue
        found |= {str(array[0]) for array in texts[:1]}
    return sorted(found)


def leaf_arrays(episode: Episode) -> dict[Path, NDArray[Any]]:
    """Return the observations other than the frames: path of keys to an array of length T + 1.

    The path of an observation that is one array is empty. Values that no array holds, such as those of Sequence and
    Graph spaces, are texts: the JSON of `exact_json.encode_value`.
    """
    observations = episode.observations
    if isinstance(observations, dict):
        return {split_path(name): _write_objects(array) for name, array in observations.items()}
    return {(): _write_objects(observations)} if isinstance(observations, np.ndarray) else {}


def _write_objects(array: NDArray[Any]) -> NDArray[Any]:
    if not array.dtype.hasobject:
        return array
    texts = [value if isinstance(value, str) else json.dumps(encode_value(value)) for value in array]
    return np.array(texts, object)


def conforming_arrays(episode: Episode, reference: dict[str, Any] | None) -> dict[Path, NDArray[Any]]:
    """Return `leaf_arrays` in the order and with the types of the group's reference.

    Raises:
        InvalidRequest: a part is missing or new, has another shape, or has values that the type cannot hold exactly.
    """
    arrays = {_join(path): (path, array) for path, array in leaf_arrays(episode).items()}
    height, width = episode.frames.shape[1:3]
    if reference is None:
        raise InvalidRequest("No episode of this group can be read, so its types and shapes are unknown.")
    expected = reference["leaves"]
    if arrays.keys() != expected.keys():
        raise InvalidRequest(
            f"The observation has the parts {sorted(arrays)}; other episodes of this game have {sorted(expected)}. "
            "Export them separately, with --where."
        )
    if [height, width] != reference["frame"]:
        raise InvalidRequest(
            f"The picture is {width} by {height}; in other episodes of this game it is {reference['frame'][1]} by "
            f"{reference['frame'][0]}. Export them separately, with --where."
        )
    return {arrays[name][0]: _conform(name, arrays[name][1], *expected[name]) for name in expected}


def _conform(name: str, array: NDArray[Any], dtype: str, shape: list[int]) -> NDArray[Any]:
    if list(array.shape[1:]) != shape:
        raise InvalidRequest(
            f"{name} has the shape {array.shape[1:]}; in other episodes of this game it has {tuple(shape)}. Export "
            "them separately, with --where."
        )
    if _dtype_name(array) == dtype:
        return array
    if TEXT not in (dtype, _dtype_name(array)):
        with np.errstate(all="ignore"):
            cast = array.astype(dtype)
            if np.array_equal(cast.astype(array.dtype), array, equal_nan=array.dtype.kind in "fc"):
                return cast
    raise InvalidRequest(
        f"{name} is {array.dtype}; in other episodes of this game it is {dtype}, which cannot hold its values. Export "
        "them separately, with --where."
    )


def plain_infos(episode: Episode) -> list[dict[str, Any]]:
    """Return the infos of the reset and of the T steps, as numbers and lists, without NumPy's types."""
    return [decode_value(remove_types(info)) for info in (episode.stored_reset_info, *episode.stored_infos)]


def _describe_infos(episode: Episode) -> dict[str, int | None]:
    """Return the infos that are numbers or lists of numbers: name to the length of the list, None for a number."""
    found: dict[str, int | None] = {}
    for info in plain_infos(episode):
        for name, value in info.items():
            if is_number(value):
                found.setdefault(name, None)
            elif isinstance(value, list) and value and all(map(is_number, value)):
                found.setdefault(name, len(value))
    return dict(sorted(found.items()))


def info_column(infos: list[dict[str, Any]], name: str, length: int | None) -> NDArray[np.float64]:
    """Return an info as float64, shape (T + 1, length), or (T + 1, 1) for a number. Other values are NaN."""
    column = np.full((len(infos), 1 if length is None else length), np.nan)
    for row, info in zip(column, infos, strict=True):
        value = info.get(name)
        if length is None and is_number(value):
            row[0] = value
        elif isinstance(value, list) and len(value) == length and all(map(is_number, value)):
            row[:] = value
    return column


def is_number(value: Any) -> bool:
    """Return whether a value is a number that float64 can represent, at least rounded."""
    return isinstance(value, float) or (isinstance(value, int) and value.bit_length() < 1024)


def _dtype_name(array: NDArray[Any]) -> str:
    return TEXT if array.dtype.kind in "UO" else array.dtype.str


def _join(path: Path) -> str:
    return "/".join(key.replace("~", "~0").replace("/", "~1") for key in path) or ROOT_NAME
