"""Values of environments to what JSON knows."""

from typing import Any

import numpy as np

_JSON_TYPES = (bool, int, float, str, type(None))


def to_jsonable(value: Any) -> Any:
    """Turn numpy scalars, arrays and tuples into plain Python; keys become text.

    What is none of these becomes its `repr`, so that a record can always be written.
    """
    if type(value) in _JSON_TYPES:
        return value
    if isinstance(value, dict):
        return {str(key): to_jsonable(part) for key, part in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [to_jsonable(part) for part in value]
    return repr(value)
