"""The encoding of free-form values is reversible, and Postgres stores it unchanged."""

import datetime
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.exact_json import decode_info, decode_value, encode_info, encode_value, remove_types, select_keys
from tests.support.exact_values import is_same

SPECIAL: list[Any] = [
    float("nan"),
    math.inf,
    -math.inf,
    -0.0,
    1e23,
    float(np.finfo(np.float32).max),
    5e-324,
    0.1,
    2**70,
    1 << 20_000,
    True,
    None,
    "a\0b",
    "\ud800",
    "plain, é, 🎮",
    "back\\slash\0",
    b"\0\xff",
    1 + 2j,
    complex(math.nan, -0.0),
    datetime.date(2024, 1, 1),
    datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.UTC),
    np.datetime64("2024-01-01"),
    np.datetime64("2024-01-01T00:00:00.5", "ms"),
    {1, 2, 3},
    {(1, 2): "tuple key"},
    {1: "a", None: "b"},
    {"$float": "looks like a tag"},
    {"a\0": 1},
    {"deep": [{"q": [math.nan, {"x": -0.0}]}]},
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(exclude_categories=())),
    st.binary(),
    st.complex_numbers(),
)
VALUES = st.recursive(
    SCALARS,
    lambda parts: st.one_of(
        st.lists(parts, max_size=4),
        st.dictionaries(st.one_of(st.text(st.characters(exclude_categories=())), st.integers()), parts, max_size=4),
    ),
    max_leaves=12,
)


def name_value(value: Any) -> str:
    return type(value).__name__


INFO_VALUES: dict[str, Any] = {
    "float32": np.float32(0.1),
    "float16": np.float16(65504),
    "infinity": np.float32(-np.inf),
    "longdouble": np.longdouble("0.1"),
    "int8": np.int8(-3),
    "uint64": np.uint64(2**64 - 1),
    "bool": np.bool_(True),
    "complex64": np.complex64(1 - 0j),
    "text": np.str_("a\0b"),
    "bytes": np.bytes_(b"x"),
    "timedelta": np.timedelta64(3, "s"),
    "void": np.array([(1, 2.5)], [("a", "i2"), ("b", "f4")])[0],
    "array": np.arange(6, dtype=np.int16).reshape(2, 3),
    "empty array": np.zeros((0, 3), np.float32),
    "array without dimensions": np.array(1.5, np.float16),
    "array with NaN": np.array([np.nan, -0.0, 1e30], np.float32),
    "big-endian array": np.array([1, 2], ">i4"),
    "array of texts": np.array(["a", "bc"]),
    "array of dates": np.array(["2024-01-01", "NaT"], "datetime64[D]"),
    "array of structures": np.zeros(2, [("a", "f4")]),
    "array of objects": np.array([[np.int8(1), None], [(1, 2), {"x": np.float32(1)}]], object),
    "tuple": (1, (np.int64(2), [3.0])),
    "frozenset": frozenset([1, 2]),
    "set of tuples": {(1, 2), (3, 4)},
    "bytearray": bytearray(b"ab"),
    "key / with ~ signs": {"a/b": {"~1": np.int8(1), "": np.int8(2)}},
    "odd keys": {1: np.int8(1), (1, 2): (np.float32(2), "x")},
    "list": [np.float32(1), {"deep": np.array([True, False])}],
}


@pytest.mark.parametrize("value", SPECIAL, ids=name_value)
def test_encoding_special_value_is_reversible(value: Any) -> None:
    encoded = encode_value(value)
    assert is_same(decode_value(json.loads(json.dumps(encoded, allow_nan=False))), value)


@given(VALUES)
def test_encoding_any_value_is_reversible(value: Any) -> None:
    encoded = json.dumps(encode_value(value), allow_nan=False)
    assert "\\u0000" not in encoded
    assert is_same(decode_value(json.loads(encoded)), value)


@pytest.mark.anyio
@pytest.mark.parametrize("value", SPECIAL, ids=name_value)
async def test_encoding_survives_jsonb_round_trip(engine: AsyncEngine, value: Any) -> None:
    async with engine.connect() as connection:
        query = text("SELECT CAST(:value AS jsonb)")
        stored = (await connection.execute(query, {"value": json.dumps(encode_value(value))})).scalar_one()
    stored = json.loads(stored) if isinstance(stored, str) and not isinstance(value, str) else stored
    assert is_same(decode_value(stored), value)


def test_encoding_plain_values_is_plain_json() -> None:
    info = {"lives": 3, "x": 0.5, "names": ("a", "b"), "position": np.array([1.0, 2.0]), "n": np.int64(7)}
    assert encode_value(info) == {"lives": 3, "x": 0.5, "names": ["a", "b"], "position": [1.0, 2.0], "n": 7}


@pytest.mark.parametrize("name", INFO_VALUES)
def test_encoding_info_keeps_types(name: str) -> None:
    info = {name: INFO_VALUES[name], "other": 1}
    stored = json.loads(json.dumps(encode_info(info), allow_nan=False))
    if "$types" in stored:
        stored["$types"] = dict(sorted(stored["$types"].items(), key=lambda item: len(item[0])))  # the order of JSONB
    assert is_same(decode_info(stored), info)


def test_encoding_info_with_unusual_keys_keeps_types() -> None:
    info = {1: np.int8(3), "$types": {"/x": "<f4"}, "x": (np.float32(1), [np.zeros(2)])}
    assert is_same(decode_info(json.loads(json.dumps(encode_info(info)))), info)


def test_encoding_info_leaves_values_readable_by_sql() -> None:
    stored = encode_info({"lives": np.int64(3), "position": np.array([1.0, 2.0]), "pair": (1, 2)})
    assert remove_types(stored) == {"lives": 3, "position": [1.0, 2.0], "pair": [1, 2]}
    assert encode_info({"lives": 3, "names": ["a"]}) == {"lives": 3, "names": ["a"]}


def test_selected_keys_of_info_keep_their_types() -> None:
    stored = encode_info({"a": np.int8(1), "b": {"c": np.int8(2)}, "d": 3})
    assert select_keys(stored, ["b", "d"]) == {"b": {"c": 2}, "d": 3, "$types": {"/b/c": "|i1"}}
    assert is_same(decode_info(select_keys(stored, ["a"])), {"a": np.int8(1)})


def test_info_of_earlier_version_is_decoded_without_types() -> None:
    assert decode_info({"lives": 3, "x": {"$float": "inf"}}) == {"lives": 3, "x": math.inf}
    assert decode_info({"$dict": [[1, "a"]]}) == {1: "a"}


def test_encoding_unknown_objects_uses_repr_and_never_raises() -> None:
    class Rude:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    assert encode_value(Rude())["$repr"].startswith("<Rude")
    assert encode_value(np.array([{1}, None], dtype=object)) == [{"$set": [1]}, None]
    assert json.dumps(encode_value(np.zeros(2, [("a", "f4")])), allow_nan=False)


def test_encoding_cycles_and_deep_nesting_end() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    assert json.dumps(encode_value(cycle))
    assert json.dumps(encode_value(deep))


def test_encoding_sets_has_one_order() -> None:
    assert encode_value({"b", "a", "c"}) == {"$set": ["a", "b", "c"]}
