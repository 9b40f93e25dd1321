"""Compares values exactly, with their types."""

import enum
from typing import Any

import numpy as np

MAX_COMPARED_DEPTH = 90
"""Below this nesting, values may be stored as their `repr`."""


def is_same(found: Any, value: Any, depth: int = 0) -> bool:
    """Return whether what was restored equals `value`, in type too: NaN equals NaN, 0.0 differs from -0.0 and from 0.

    Enumerations are stored as their numbers, and objects that nothing can restore as their `repr`.
    """
    if depth > MAX_COMPARED_DEPTH:
        return True
    if isinstance(value, enum.Enum):
        return bool(found == value.value)
    if isinstance(value, np.ndarray):
        return _is_same_array(found, value, depth)
    if isinstance(value, dict):
        same_keys = isinstance(found, dict) and found.keys() == value.keys()
        return same_keys and all(is_same(found[key], value[key], depth + 1) for key in value)
    if isinstance(value, list | tuple):
        same_type = type(found) is type(value) and len(found) == len(value)
        return same_type and all(is_same(one, other, depth + 1) for one, other in zip(found, value, strict=True))
    if type(found) is type(value):
        return bool(found == value) if isinstance(value, int | str | set | frozenset) else repr(found) == repr(value)
    return isinstance(found, str) and found == repr(value)


def _is_same_array(found: Any, value: Any, depth: int) -> bool:
    if not isinstance(found, np.ndarray) or (found.dtype, found.shape) != (value.dtype, value.shape):
        return False
    if value.dtype.hasobject:
        return all(is_same(one, other, depth + 1) for one, other in zip(found.flat, value.flat, strict=True))
    return bool(found.tobytes() == value.tobytes())
