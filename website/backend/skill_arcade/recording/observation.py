"""Observations that are not the picture: nested arrays, numbers, texts and other values, to bytes and back exactly.

A leaf is recorded in one of three ways, by its `dtype`: an array of one dtype and shape; `text`; or `json`, any value
with its own dtypes and shapes (`exact_json.encode_typed`), for spaces whose values change their form and for objects.
"""

import io
import json
import warnings
import zipfile
import zlib
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skill_arcade.exact_json import decode_value, describe_dtype, encode_typed, read_dtype

Leaves = list[dict[str, Any]]
ROOT_NAME = "observation"
SCHEMA_ENTRY = "schema"
EMPTY_KEY = "~2"
TEXT, JSON = "text", "json"
ESCAPED_SCHEMA_ENTRY = "~schema"
"""Archive entry of a leaf named `schema`. No other leaf has this name: `~` in a key becomes `~0`."""


def describe_leaves(observation: Any, changing: Collection[str] = ()) -> Leaves:
    """Return name, dtype and shape of each leaf of an observation.

    `changing` has the names of leaves whose form changes from step to step; they get the dtype `json`, as do objects.
    The name is the path of keys joined by `/`. In a key, `~` becomes `~0` and `/` becomes `~1` (RFC 6901); an empty key
    is `~2`. An observation that is one leaf has the name `observation`.

    Raises:
        TypeError: a leaf is an object that cannot be recorded.
        ValueError: two keys have the same text, such as 1 and "1".
    """
    return [
        _describe_leaf(name, value, is_changing=name in changing)
        for name, value in _find_leaves(observation, changing).items()
    ]


def pack_observation(observation: Any, leaves: Leaves) -> bytes:
    """Return the bytes of an observation, in the order of `leaves`. Parts are matched by name, in any order.

    Raises:
        TypeError, ValueError: a part is missing, is new, has another shape, or has a value that the recorded dtype
            cannot hold exactly. Nothing is rounded or cut.
    """
    values = _find_leaves(observation, {leaf["name"] for leaf in leaves if leaf["dtype"] == JSON})
    expected = [leaf["name"] for leaf in leaves]
    if values.keys() != set(expected):
        raise ValueError(f"the observation has the parts {sorted(values)}; at the reset it had {sorted(expected)}")
    return b"".join(pack_leaf(values[leaf["name"]], leaf) for leaf in leaves)


def stack_observations(packed: list[bytes], leaves: Leaves) -> dict[str, NDArray[Any]]:
    """Return one array of shape (len(packed), ...) for each leaf, by name.

    Texts are a NumPy text array, or an array of objects if one of them ends with NUL, which NumPy would drop. A `json`
    leaf is an array of objects.
    """
    columns: dict[str, list[Any]] = {leaf["name"]: [] for leaf in leaves}
    for body in packed:
        place = 0
        for leaf in leaves:
            if leaf["dtype"] in (TEXT, JSON):
                end = place + 4 + int.from_bytes(body[place : place + 4], "little")
                text = body[place + 4 : end].decode("utf-8", "surrogatepass")
                columns[leaf["name"]].append(text if leaf["dtype"] == TEXT else decode_value(json.loads(text)))
            else:
                dtype = read_dtype(leaf["dtype"])
                count = int(np.prod(leaf["shape"], dtype=np.int64))
                end = place + count * dtype.itemsize
                array = np.frombuffer(body[place:end], dtype).reshape(leaf["shape"])
                columns[leaf["name"]].append(array)
            place = end
    return {leaf["name"]: _stack(columns[leaf["name"]], leaf["dtype"]) for leaf in leaves}


def write_npz(packed: list[bytes], leaves: Leaves) -> bytes:
    """Return a segment's observations as a compressed NumPy archive. The same input gives the same bytes.

    Entries are written one by one, because `numpy.savez` takes names as keywords and so cannot take all of them.
    """
    schema, entries = [], []
    for leaf, column in zip(leaves, stack_observations(packed, leaves).values(), strict=True):
        is_escaped, texts = leaf["dtype"] == TEXT and column.dtype.hasobject, None
        schema.append({**leaf, "escaped": True} if is_escaped else leaf)
        if is_escaped:
            texts = [value.encode("unicode_escape").decode("ascii") for value in column]
        elif leaf["dtype"] == JSON:
            texts = [_write_json(value) for value in column]
        entries.append((_entry_name(leaf["name"]), column if texts is None else np.array(texts)))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in [(SCHEMA_ENTRY, np.array(json.dumps(schema))), *entries]:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)
    return buffer.getvalue()


def read_npz(data: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays that `write_npz` wrote, by the leaf's name.

    Raises:
        ValueError: `data` is no such archive.
    """
    try:
        return _read_archive(data)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError) as error:
        raise ValueError(f"not an archive of observations: {error}") from error


def _read_archive(data: bytes) -> dict[str, NDArray[Any]]:
    columns = {}
    # `numpy.load` cannot tell an array named `x.npy` from one named `x`.
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for leaf in json.loads(str(_read_entry(archive, SCHEMA_ENTRY))):
            column = _read_entry(archive, _entry_name(leaf["name"]))
            if leaf["dtype"] == JSON:
                column = _to_objects([decode_value(json.loads(str(value))) for value in column])
            elif leaf.get("escaped"):
                texts = [str(value).encode("ascii").decode("unicode_escape") for value in column]
                column = np.array(texts, dtype=object)
            columns[leaf["name"]] = column
    return columns


def _read_entry(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(f"{name}.npy") as file:
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    return array


def _entry_name(name: str) -> str:
    return ESCAPED_SCHEMA_ENTRY if name == SCHEMA_ENTRY else name


def _stack(values: list[Any], dtype: Any) -> NDArray[Any]:
    if dtype == JSON:
        return _to_objects(values)
    if any(isinstance(value, str) and value.endswith("\0") for value in values):
        return np.array(values, dtype=object)
    return np.array(values)


def _to_objects(values: list[Any]) -> NDArray[Any]:
    """Return a one-dimensional array of objects, also if they are sequences themselves."""
    array = np.empty(len(values), object)
    for index, value in enumerate(values):
        array[index] = value
    return array


def _describe_leaf(name: str, value: Any, *, is_changing: bool) -> dict[str, Any]:
    if isinstance(value, str) and not is_changing:
        return {"name": name, "dtype": TEXT, "shape": []}
    array = None if is_changing else _to_array(value)
    if array is not None:
        return {"name": name, "dtype": describe_dtype(array.dtype), "shape": list(array.shape)}
    _encode_leaf(name, value)
    return {"name": name, "dtype": JSON, "shape": []}


def pack_leaf(value: Any, leaf: dict[str, Any]) -> bytes:
    """Return the bytes of one leaf.

    Raises:
        TypeError, ValueError: as for `pack_observation`.
    """
    name, dtype = leaf["name"], leaf["dtype"]
    if dtype in (TEXT, JSON):
        if dtype == TEXT and not isinstance(value, str):
            raise ValueError(f"{name} is a {type(value).__name__}; at the reset it was a text")
        text = (value if dtype == TEXT else _encode_leaf(name, value)).encode("utf-8", "surrogatepass")
        return len(text).to_bytes(4, "little") + text
    array = _to_array(value)
    if array is None or (isinstance(value, str) and read_dtype(dtype).kind not in "SU"):
        raise ValueError(f"{name} is a {type(value).__name__}; at the reset it was an array of {read_dtype(dtype)}")
    if list(array.shape) != leaf["shape"]:
        raise ValueError(f"{name} has shape {array.shape}; at the reset it had {tuple(leaf['shape'])}")
    recorded = read_dtype(dtype)
    if array.dtype == recorded:
        return array.tobytes()
    if not _holds_exactly(array, recorded):
        raise ValueError(f"{name} is {array.dtype} here; at the reset it was {recorded}, which cannot hold it")
    return array.astype(recorded).tobytes()


def _holds_exactly(array: NDArray[Any], dtype: np.dtype[Any]) -> bool:
    if "V" in (array.dtype.kind, dtype.kind) or (array.dtype.kind in "SU") != (dtype.kind in "SU"):
        return False
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        restored = array.astype(dtype).astype(array.dtype)
        return np.array_equal(restored, array, equal_nan=array.dtype.kind in "fc")


def _to_array(value: Any) -> NDArray[Any] | None:
    """Return a value as an array of numbers, or None if it is none: None, objects, bytes, texts, ragged lists.

    The dtype of an array of texts has their length, which changes. NumPy drops the final NUL of bytes.
    """
    if type(value) is bytes:
        return None
    try:
        array = np.asarray(value)
    except ValueError:
        return None
    is_texts = array.dtype.kind in "SU" and array.ndim > 0
    return None if array.dtype.hasobject or is_texts else array


def _encode_leaf(name: str, value: Any) -> str:
    try:
        return _write_json(value)
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from error


def _write_json(value: Any) -> str:
    return json.dumps(encode_typed(value), separators=(",", ":"))


def _find_leaves(observation: Any, changing: Collection[str]) -> dict[str, Any]:
    if ROOT_NAME in changing:
        return {ROOT_NAME: observation}
    found = _walk_leaves(observation, "", changing)
    leaves = {name or ROOT_NAME: value for name, value in found}
    if len(leaves) != len(found):
        raise ValueError("two keys of the observation have the same text")
    return leaves


def _walk_leaves(value: Any, path: str, changing: Collection[str]) -> list[tuple[str, Any]]:
    if path in changing:
        return [(path, value)]
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, tuple):
        items = list(enumerate(value))
    else:
        return [(path, value)]
    return [leaf for key, part in items for leaf in _walk_leaves(part, join_path(path, key), changing)]


def split_path(name: str) -> tuple[str, ...]:
    """Return the keys of a leaf's name: what `join_path` has joined."""
    return tuple("" if key == EMPTY_KEY else key.replace("~1", "/").replace("~0", "~") for key in name.split("/"))


def join_path(path: str, key: object) -> str:
    """Return the name of the part `key` of the part named `path`."""
    escaped = str(key).replace("~", "~0").replace("/", "~1") or EMPTY_KEY
    return f"{path}/{escaped}" if path else escaped
