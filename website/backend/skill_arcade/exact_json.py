r"""Reversible encoding of free-form values, such as an environment's `info`, as JSON that Postgres accepts.

Numbers, text, booleans, None, lists and dictionaries with text keys are plain JSON, so that SQL can read them. A value
that JSON or JSONB would reject or change is an object with one key that begins with `$`:

| tag | value |
|---|---|
| `{"$float": "nan"}` | NaN, infinities, -0.0, and floats of 1e16 and more, which JSONB turns into integers |
| `{"$text": "a\x00b"}` | text with NUL or lone surrogates, in Python's `unicode_escape` |
| `{"$bytes": "AAE="}` | bytes, base64 |
| `{"$complex": [1.0, 2.0]}` | complex number |
| `{"$datetime64": ["2024-01-01", "D"]}` | NumPy's datetime64 with its unit |
| `{"$date": "2024-01-01"}`, `{"$datetime": "..."}` | `datetime` values, ISO 8601 |
| `{"$set": [1, 2]}` | set, its parts in the order of their JSON |
| `{"$dict": [[1, "a"]]}` | dictionary with a key that is not text, or that begins with `$` |
| `{"$int": "1f"}` | integer of more than 4,000 digits, hexadecimal |
| `{"$repr": "<object>"}` | anything else, as its `repr`; the only tag that is not reversible |

NumPy scalars become numbers, arrays and tuples become lists, so that SQL can read them. `encode_info` adds their types
to the outermost dictionary, under the key `$types`: JSON Pointers (RFC 6901) to the values, and

| type | of |
|---|---|
| `"<f4"` | NumPy scalar, dtype as in an .npy file |
| `["<f4"]`, `["<f4", [0, 2]]` | array; the shape is given if the list does not show it |
| `["objects", [2, 3]]` | array of objects, a flat list |
| `"tuple"`, `"frozenset"`, `"bytearray"` | the Python type; a named tuple comes back as a tuple |

`encode_typed` keeps the types beside each value, for observations that no array can hold. It adds these tags:

| tag | value |
|---|---|
| `{"$array": ["<f4", [2, 3], "AAA="]}` | array: dtype as in an .npy file, shape, bytes in C order, base64 |
| `{"$scalar": ["<f4", "AAA="]}` | NumPy scalar |
| `{"$objects": [[2], [null, 1]]}` | array of objects: shape, parts in C order |
| `{"$frozenset": [1, 2]}` | frozenset |
| `{"$tuple": [1, 2]}` | tuple; a named tuple, such as Gymnasium's GraphInstance, comes back as a tuple |
"""

import base64
import binascii
import copy
import datetime
import functools
import json
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_DEPTH = 100
"""Nesting above which a value is stored as its `repr`."""
TYPES_KEY = "$types"
"""Key of the types in a stored `info`. An environment's own keys that begin with `$` are tagged, so none is equal."""
MAX_PLAIN_FLOAT = 1e16
"""Floats from here on are tagged: JSON writes them with an exponent, which JSONB turns into an integer."""
MAX_PLAIN_INT_BITS = 13_000
"""Longer integers are tagged: Python refuses to convert more than 4,300 digits."""


def encode_info(info: Mapping[Any, Any]) -> dict[str, Any]:
    """Return an `info` as a JSON object that Postgres stores unchanged, with the types of its values. Never raises."""
    types: dict[str, Any] = {}
    encoded: dict[str, Any] = _encode_dict(dict(info), 0, _Types(types, ""))
    if types:
        encoded[TYPES_KEY] = types
    return encoded


def decode_info(stored: Mapping[str, Any]) -> dict[Any, Any]:
    """Return the `info` that `encode_info` was given. Also reads infos without types, which earlier versions wrote."""
    types = stored.get(TYPES_KEY)
    if types is None:
        return dict(decode_value(dict(stored)))
    restored: Any = copy.deepcopy(remove_types(stored))
    keys = {pointer: _split_pointer(pointer) for pointer in types}
    for pointer in sorted(keys, key=lambda one: -len(keys[one])):  # parts before the wholes that contain them
        *parents, last = keys[pointer]
        holder = functools.reduce(lambda value, key: value[_find_key(value, key)], parents, restored)
        key = _find_key(holder, last)
        holder[key] = _restore_type(decode_value(holder[key]), types[pointer])
    return dict(decode_value(restored))


def remove_types(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored `info` without the types of its values, as SQL sees it."""
    return {key: value for key, value in stored.items() if key != TYPES_KEY}


def select_keys(stored: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """Return these keys of a stored `info`. An `info` with unusual keys is returned whole."""
    if "$dict" in stored:
        return dict(stored)
    selected = {key: stored[key] for key in keys if key in stored}
    if TYPES_KEY not in stored:
        return selected
    types = {
        pointer: described for pointer, described in stored[TYPES_KEY].items() if _split_pointer(pointer)[0] in selected
    }
    return {**selected, TYPES_KEY: types} if types else selected


@dataclass(frozen=True)
class _Types:
    """Where the types of a value are noted: for all values of an `info`, by their pointers."""

    noted: dict[str, Any]
    pointer: str

    def of_part(self, key: Any) -> "_Types":
        return _Types(self.noted, f"{self.pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")

    def note(self, described: Any) -> None:
        self.noted[self.pointer] = described


def encode_value(value: Any, depth: int = 0, types: _Types | None = None) -> Any:
    """Return `value` as JSON values that Postgres stores unchanged. Never raises for any value."""
    if value is None or isinstance(value, bool):
        return value
    if type(value) in _ENCODERS:
        return _ENCODERS[type(value)](value)
    if depth > MAX_DEPTH:
        return _encode_other(value)
    if isinstance(value, dict):
        return _encode_dict(value, depth, types)
    if isinstance(value, np.ndarray):
        return _encode_array(value, depth, types)
    if isinstance(value, np.generic) and not isinstance(value, np.object_):
        return _encode_scalar(value, types)
    encoded = _encode_collection(value, depth, types)
    if encoded is not None:
        return encoded
    if isinstance(value, int):  # a subclass, such as IntEnum; the same below
        return _encode_int(int(value))
    if isinstance(value, float):
        return _encode_float(float(value))
    if isinstance(value, str):
        return _encode_text(str.__str__(value))
    return _encode_other(value)


def encode_typed(value: Any, depth: int = 0) -> Any:
    """Return `value` as JSON values that preserve dtypes, shapes and tuples.

    Raises:
        TypeError: a part of it is an object that cannot be restored, or it is nested too deeply.
    """
    if depth > MAX_DEPTH:
        raise TypeError(f"a value is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, np.ndarray) and value.dtype.hasobject:
        return {"$objects": [list(value.shape), [encode_typed(part, depth + 1) for part in value.flat]]}
    if isinstance(value, np.ndarray):
        return {"$array": [describe_dtype(value.dtype), list(value.shape), _encode_bytes(value.tobytes())]}
    if isinstance(value, np.generic) and not isinstance(value, np.object_):
        return {"$scalar": [describe_dtype(value.dtype), _encode_bytes(value.tobytes())]}
    if isinstance(value, dict):
        if _has_plain_keys(value):
            return {key: encode_typed(part, depth + 1) for key, part in value.items()}
        return {"$dict": [[encode_typed(key, depth + 1), encode_typed(part, depth + 1)] for key, part in value.items()]}
    if isinstance(value, tuple):
        return {"$tuple": [encode_typed(part, depth + 1) for part in value]}
    if isinstance(value, list):
        return [encode_typed(part, depth + 1) for part in value]
    if isinstance(value, set | frozenset):
        tag = "$set" if isinstance(value, set) else "$frozenset"
        return {tag: sorted((encode_typed(part, depth + 1) for part in value), key=json.dumps)}
    encoded = encode_value(value)
    if isinstance(encoded, dict) and "$repr" in encoded:
        raise TypeError(f"a {type(value).__name__} cannot be recorded so that it can be restored")
    return encoded


def describe_dtype(dtype: np.dtype[Any]) -> Any:
    """Return a dtype as JSON, as .npy files do: its `str`, or a list of fields if it is structured."""
    return np.lib.format.dtype_to_descr(dtype)


def read_dtype(described: Any) -> np.dtype[Any]:
    """Return the dtype that `describe_dtype` described, also after it was written as JSON."""
    restored: np.dtype[Any] = np.lib.format.descr_to_dtype(_restore_tuples(described))
    return restored


def _restore_tuples(described: Any) -> Any:
    """Turn the fields of a structured dtype back into tuples: (name, dtype) or (name, dtype, shape)."""
    if isinstance(described, str):
        return described
    return [
        (tuple(name) if isinstance(name, list) else name, _restore_tuples(field), *(tuple(part) for part in shape))
        for name, field, *shape in described
    ]


def decode_value(value: Any) -> Any:
    """Return the value that `encode_value` or `encode_typed` was given. A `$repr` gives its text."""
    if isinstance(value, list):
        return [decode_value(part) for part in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (tag, content), *_ = value.items()
        if tag in _DECODERS:
            return _DECODERS[tag](content)
    return {key: decode_value(part) for key, part in value.items()}


def _encode_float(value: float) -> Any:
    if math.isfinite(value) and abs(value) < MAX_PLAIN_FLOAT and (value != 0.0 or math.copysign(1.0, value) > 0):
        return value
    return {"$float": repr(value)}


def _encode_int(value: int) -> Any:
    return value if value.bit_length() <= MAX_PLAIN_INT_BITS else {"$int": format(value, "x")}


def _encode_text(value: str) -> Any:
    return {"$text": value.encode("unicode_escape").decode("ascii")} if _is_rejected_text(value) else value


def _is_rejected_text(value: str) -> bool:
    if "\0" in value:
        return True
    try:
        value.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return True
    return False


def _has_plain_keys(value: dict[Any, Any]) -> bool:
    return all(type(key) is str and not key.startswith("$") and not _is_rejected_text(key) for key in value)


def _encode_dict(value: dict[Any, Any], depth: int, types: _Types | None) -> dict[str, Any]:
    if not _has_plain_keys(value):
        return {"$dict": [[_encode_unnamed(part, depth, types) for part in pair] for pair in value.items()]}
    encoded = {}
    for key, part in value.items():
        encoder = _ENCODERS.get(type(part))
        if encoder is not None:
            encoded[key] = encoder(part)
        else:
            encoded[key] = encode_value(part, depth + 1, types and types.of_part(key))
    return encoded


def _encode_collection(value: Any, depth: int, types: _Types | None) -> Any:
    """Return the JSON of a list, tuple, set or bytearray; None for other values."""
    name = next((name for type_, name in _NAMED_TYPES.items() if isinstance(value, type_)), None)
    if isinstance(value, list | tuple):
        encoded: Any = [
            encode_value(part, depth + 1, types and types.of_part(index)) for index, part in enumerate(value)
        ]
    elif isinstance(value, set | frozenset):
        encoded = {"$set": sorted((_encode_unnamed(part, depth, types) for part in value), key=json.dumps)}
    elif isinstance(value, bytearray):
        encoded = {"$bytes": _encode_bytes(value)}
    else:
        return None
    if types and name:
        types.note(name)
    return encoded


def _encode_unnamed(value: Any, depth: int, types: _Types | None) -> Any:
    """Return the JSON of a key, or of a part that no pointer reaches: its type, if it counts, stands beside it."""
    if types is None:
        return encode_value(value, depth + 1)
    try:
        return encode_typed(value, depth + 1)
    except TypeError:
        return encode_value(value, depth + 1)


def _encode_scalar(value: np.generic, types: _Types | None) -> Any:
    """Return the JSON of a NumPy scalar."""
    if isinstance(value, np.datetime64):
        return {"$datetime64": [str(value), np.datetime_data(value.dtype)[0]]}
    if value.dtype.char in _OPAQUE:
        return {"$scalar": [describe_dtype(value.dtype), _encode_bytes(value.tobytes())]}
    encoded = encode_value(value.item())
    if types:
        types.note(describe_dtype(value.dtype))
    return encoded


def _encode_array(value: NDArray[Any], depth: int, types: _Types | None) -> Any:
    if value.dtype.hasobject:
        parts = value if value.ndim == 1 else value.flat if types else value
        encoded = [encode_value(part, depth + 1, types and types.of_part(index)) for index, part in enumerate(parts)]
        if types:
            types.note(["objects", list(value.shape)])
        return encoded
    if value.dtype.char in _OPAQUE:
        return {"$array": [describe_dtype(value.dtype), list(value.shape), _encode_bytes(value.tobytes())]}
    if types:
        is_shown = value.ndim > 0 and value.size > 0
        types.note([describe_dtype(value.dtype)] if is_shown else [describe_dtype(value.dtype), list(value.shape)])
    if value.dtype.kind in "biu" or (value.dtype.kind == "f" and _is_plain(value)):
        return value.tolist()
    return encode_value(value[()]) if value.ndim == 0 else [encode_value(part, depth + 1) for part in value]


def _split_pointer(pointer: str) -> list[str]:
    return [key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:]]


def _find_key(holder: Any, key: str) -> Any:
    return int(key) if isinstance(holder, list) else key


def _restore_type(value: Any, described: Any) -> Any:
    if isinstance(described, str):
        return _TYPES[described](value) if described in _TYPES else np.array(value, read_dtype(described))[()]
    if described[0] == "objects":
        return _decode_objects([described[1], value])
    array = np.array(value, read_dtype(described[0]))
    return array.reshape(described[1]) if len(described) > 1 else array


def _is_plain(value: NDArray[Any]) -> bool:
    numbers = value.astype(np.float64)  # float16 cannot hold the limit
    negative_zero = (numbers == 0) & np.signbit(numbers)
    return bool(np.isfinite(numbers).all() and (np.abs(numbers) < MAX_PLAIN_FLOAT).all() and not negative_zero.any())


def _encode_other(value: Any) -> Any:
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001  (an object of an environment)
        text = f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"
    return {"$repr": text.encode("unicode_escape").decode("ascii") if _is_rejected_text(text) else text}


def _encode_bytes(value: bytes | bytearray) -> str:
    return base64.b64encode(value).decode()


def _decode_array(content: Any) -> NDArray[Any]:
    described, shape, data = content
    return np.frombuffer(bytearray(binascii.a2b_base64(data)), read_dtype(described)).reshape(shape)


def _decode_objects(content: Any) -> NDArray[Any]:
    shape, parts = content
    array = np.empty(len(parts), object)
    for index, part in enumerate(parts):  # an assignment of the whole list would unpack its parts
        array[index] = decode_value(part)
    return array.reshape(shape)


def _decode_datetime64(content: Any) -> Any:
    return np.datetime64(content[0], content[1])


def _decode_text(content: str) -> str:
    return content.encode("ascii").decode("unicode_escape")


_OPAQUE = "gGVm"
"""Kinds of NumPy values without an exact form in JSON: extended precision, structures, time spans."""
_NAMED_TYPES: dict[type, str] = {tuple: "tuple", frozenset: "frozenset", bytearray: "bytearray"}
_TYPES: dict[str, Callable[[Any], Any]] = {name: type_ for type_, name in _NAMED_TYPES.items()}
_ENCODERS: dict[type, Callable[[Any], Any]] = {
    int: _encode_int,
    float: _encode_float,
    str: _encode_text,
    bytes: lambda value: {"$bytes": _encode_bytes(value)},
    complex: lambda value: {"$complex": [_encode_float(value.real), _encode_float(value.imag)]},
    datetime.datetime: lambda value: {"$datetime": value.isoformat()},
    datetime.date: lambda value: {"$date": value.isoformat()},
}
_DECODERS: dict[str, Callable[[Any], Any]] = {
    "$float": float,
    "$int": lambda content: int(content, 16),
    "$text": _decode_text,
    "$bytes": binascii.a2b_base64,
    "$complex": lambda content: complex(decode_value(content[0]), decode_value(content[1])),
    "$datetime64": _decode_datetime64,
    "$datetime": datetime.datetime.fromisoformat,
    "$date": datetime.date.fromisoformat,
    "$set": lambda content: {_hashable(decode_value(part)) for part in content},
    "$frozenset": lambda content: frozenset(_hashable(decode_value(part)) for part in content),
    "$dict": lambda content: {_hashable(decode_value(key)): decode_value(part) for key, part in content},
    "$repr": lambda content: content,
    "$array": _decode_array,
    "$scalar": lambda content: _decode_array([content[0], [], content[1]])[()],
    "$objects": _decode_objects,
    "$tuple": lambda content: tuple(decode_value(part) for part in content),
}


def _hashable(value: Any) -> Any:
    return tuple(_hashable(part) for part in value) if isinstance(value, list) else value
