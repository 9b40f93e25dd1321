"""Observations that are not the picture: any nesting of arrays, numbers and texts, to bytes and back exactly."""

import io
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

Leaves = list[dict[str, Any]]


def describe_leaves(observation: Any) -> Leaves:
    """What an observation is made of: name (path joined by '/'), dtype and shape of each leaf; dtype 'text' for texts.

    An observation that is one leaf has the name 'observation'.
    """
    leaves = []
    for name, value in _walk_leaves(observation, ""):
        if isinstance(value, str):
            leaves.append({"name": name or "observation", "dtype": "text", "shape": []})
        else:
            array = np.asarray(value)
            if array.dtype.hasobject:
                raise TypeError(f"observation {name or 'itself'} is a {type(value).__name__}, which can't be kept")
            leaves.append({"name": name or "observation", "dtype": array.dtype.str, "shape": list(array.shape)})
    return leaves


def pack_observation(observation: Any, leaves: Leaves) -> bytes:
    """An observation to bytes. Raises ValueError when its make-up differs from `leaves`."""
    parts = []
    values = list(_walk_leaves(observation, ""))
    if len(values) != len(leaves):
        raise ValueError(f"the observation has {len(values)} parts, the first one had {len(leaves)}")
    for (_, value), leaf in zip(values, leaves, strict=True):
        if leaf["dtype"] == "text":
            text = value.encode()
            parts.append(len(text).to_bytes(4, "little") + text)
            continue
        array = np.asarray(value, dtype=leaf["dtype"])
        if list(array.shape) != leaf["shape"]:
            raise ValueError(f"{leaf['name']} has shape {array.shape}, the first one had {leaf['shape']}")
        parts.append(array.tobytes())
    return b"".join(parts)


def stack_observations(packed: list[bytes], leaves: Leaves) -> dict[str, NDArray[Any]]:
    """One array for each leaf, shape (len(packed), ...)."""
    columns: dict[str, list[Any]] = {leaf["name"]: [] for leaf in leaves}
    for body in packed:
        place = 0
        for leaf in leaves:
            if leaf["dtype"] == "text":
                end = place + 4 + int.from_bytes(body[place : place + 4], "little")
                columns[leaf["name"]].append(body[place + 4 : end].decode())
            else:
                dtype = np.dtype(leaf["dtype"])
                count = int(np.prod(leaf["shape"], dtype=np.int64))
                end = place + count * dtype.itemsize
                array = np.frombuffer(body[place:end], dtype).reshape(leaf["shape"])
                columns[leaf["name"]].append(array)
            place = end
    return {name: np.array(values) for name, values in columns.items()}


def write_npz(packed: list[bytes], leaves: Leaves) -> bytes:
    """Observations of a segment as a compressed NumPy archive; the same bytes for the same input."""
    buffer = io.BytesIO()
    columns: dict[str, Any] = stack_observations(packed, leaves)
    np.savez_compressed(buffer, schema=np.array(json.dumps(leaves)), **columns)
    return buffer.getvalue()


def _walk_leaves(value: Any, path: str) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, tuple):
        items = {str(index): part for index, part in enumerate(value)}.items()
    else:
        return [(path, value)]
    return [leaf for key, part in items for leaf in _walk_leaves(part, f"{path}/{key}" if path else str(key))]
