"""Observations that are not the picture: nested arrays, numbers and texts, to bytes and back exactly."""

import io
import json
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

Leaves = list[dict[str, Any]]
ROOT_NAME = "observation"
SCHEMA_ENTRY = "schema"
ESCAPED_SCHEMA_ENTRY = "~schema"
"""Archive entry of a leaf named `schema`. No other leaf has this name: `~` in a key becomes `~0`."""


def describe_leaves(observation: Any) -> Leaves:
    """Return name, dtype and shape of each leaf of an observation; the dtype of a text is `text`.

    The name is the path of keys joined by `/`. In a key, `~` becomes `~0` and `/` becomes `~1` (RFC 6901). An
    observation that is one leaf has the name `observation`.

    Raises:
        TypeError: a leaf is an object that is neither a number, an array nor a text.
        ValueError: two keys have the same text, such as 1 and "1".
    """
    leaves = []
    for name, value in _find_leaves(observation).items():
        if isinstance(value, str):
            leaves.append({"name": name, "dtype": "text", "shape": []})
        else:
            array = _to_array(name, value)
            leaves.append({"name": name, "dtype": array.dtype.str, "shape": list(array.shape)})
    return leaves


def pack_observation(observation: Any, leaves: Leaves) -> bytes:
    """Return the bytes of an observation, in the order of `leaves`. Parts are matched by name, in any order.

    Raises:
        TypeError, ValueError: a part is missing, is new, has another shape, or has a value that the recorded dtype
            cannot hold exactly. Nothing is rounded or cut.
    """
    values = _find_leaves(observation)
    expected = [leaf["name"] for leaf in leaves]
    if values.keys() != set(expected):
        raise ValueError(f"the observation has the parts {sorted(values)}; at the reset it had {sorted(expected)}")
    return b"".join(_pack_leaf(values[leaf["name"]], leaf) for leaf in leaves)


def stack_observations(packed: list[bytes], leaves: Leaves) -> dict[str, NDArray[Any]]:
    """Return one array of shape (len(packed), ...) for each leaf, by name.

    Texts are a NumPy text array, or an array of objects if one of them ends with NUL, which NumPy would drop.
    """
    columns: dict[str, list[Any]] = {leaf["name"]: [] for leaf in leaves}
    for body in packed:
        place = 0
        for leaf in leaves:
            if leaf["dtype"] == "text":
                end = place + 4 + int.from_bytes(body[place : place + 4], "little")
                columns[leaf["name"]].append(body[place + 4 : end].decode("utf-8", "surrogatepass"))
            else:
                dtype = np.dtype(leaf["dtype"])
                count = int(np.prod(leaf["shape"], dtype=np.int64))
                end = place + count * dtype.itemsize
                array = np.frombuffer(body[place:end], dtype).reshape(leaf["shape"])
                columns[leaf["name"]].append(array)
            place = end
    return {name: _stack(values) for name, values in columns.items()}


def write_npz(packed: list[bytes], leaves: Leaves) -> bytes:
    """Return a segment's observations as a compressed NumPy archive. The same input gives the same bytes.

    Entries are written one by one, because `numpy.savez` takes names as keywords and so cannot take all of them.
    """
    schema, entries = [], []
    for leaf, column in zip(leaves, stack_observations(packed, leaves).values(), strict=True):
        is_escaped = column.dtype.hasobject
        schema.append({**leaf, "escaped": True} if is_escaped else leaf)
        texts = [value.encode("unicode_escape").decode("ascii") for value in column] if is_escaped else None
        entries.append((_entry_name(leaf["name"]), column if texts is None else np.array(texts)))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in [(SCHEMA_ENTRY, np.array(json.dumps(schema))), *entries]:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)
    return buffer.getvalue()


def read_npz(data: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays that `write_npz` wrote, by the leaf's name."""
    columns = {}
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        for leaf in json.loads(str(archive[SCHEMA_ENTRY])):
            column = archive[_entry_name(leaf["name"])]
            if leaf.get("escaped"):
                texts = [str(value).encode("ascii").decode("unicode_escape") for value in column]
                column = np.array(texts, dtype=object)
            columns[leaf["name"]] = column
    return columns


def _entry_name(name: str) -> str:
    return ESCAPED_SCHEMA_ENTRY if name == SCHEMA_ENTRY else name


def _stack(values: list[Any]) -> NDArray[Any]:
    if any(isinstance(value, str) and value.endswith("\0") for value in values):
        return np.array(values, dtype=object)
    return np.array(values)


def _pack_leaf(value: Any, leaf: dict[str, Any]) -> bytes:
    name, dtype = leaf["name"], leaf["dtype"]
    if dtype == "text":
        if not isinstance(value, str):
            raise ValueError(f"{name} is a {type(value).__name__}; at the reset it was a text")
        text = value.encode("utf-8", "surrogatepass")
        return len(text).to_bytes(4, "little") + text
    array = _to_array(name, value)
    if list(array.shape) != leaf["shape"]:
        raise ValueError(f"{name} has shape {array.shape}; at the reset it had {tuple(leaf['shape'])}")
    if array.dtype.str == dtype:
        return array.tobytes()
    with np.errstate(all="ignore"):
        cast = array.astype(dtype)
        is_exact = np.array_equal(cast.astype(array.dtype), array, equal_nan=array.dtype.kind in "fc")
    if not is_exact:
        raise ValueError(f"{name} is {array.dtype} here; at the reset it was {np.dtype(dtype)}, which cannot hold it")
    return cast.tobytes()


def _to_array(name: str, value: Any) -> NDArray[Any]:
    array = np.asarray(value)
    if array.dtype.hasobject:
        raise TypeError(f"{name} is a {type(value).__name__}, which cannot be recorded")
    return array


def _find_leaves(observation: Any) -> dict[str, Any]:
    found = _walk_leaves(observation, "")
    leaves = {name or ROOT_NAME: value for name, value in found}
    if len(leaves) != len(found):
        raise ValueError("two keys of the observation have the same text")
    return leaves


def _walk_leaves(value: Any, path: str) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        items = [(str(key).replace("~", "~0").replace("/", "~1"), part) for key, part in value.items()]
    elif isinstance(value, tuple):
        items = [(str(index), part) for index, part in enumerate(value)]
    else:
        return [(path, value)]
    return [leaf for key, part in items for leaf in _walk_leaves(part, f"{path}/{key}" if path else key)]
