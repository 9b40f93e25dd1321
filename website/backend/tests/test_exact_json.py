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

from skill_arcade.exact_json import decode_value, encode_value

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


def is_same(left: Any, right: Any) -> bool:
    """Compare values and types exactly: NaN equals NaN, 0.0 differs from -0.0, 1 differs from 1.0."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(is_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(is_same, left, right))
    return type(left) is type(right) and (left == right if isinstance(left, int) else repr(left) == repr(right))


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


def test_encoding_unknown_objects_uses_repr_and_never_raises() -> None:
    class Rude:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    assert encode_value(Rude())["$repr"].startswith("<Rude")
    assert encode_value(np.array([{1}, None], dtype=object)) == [{"$set": [1]}, None]
    assert "$repr" in encode_value(np.timedelta64(3, "s"))
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
