"""Observations of every form come back exactly, or are refused in words."""

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.spaces import GraphInstance
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from skill_arcade.environments.changing_leaves import find_changing_leaves
from skill_arcade.recording.observation import (
    describe_leaves,
    pack_observation,
    read_npz,
    stack_observations,
    write_npz,
)

STRUCTURED = np.dtype([("hp", "<i4"), ("position", "<f4", (2,)), ("name", "<U3"), ("in", [("x", "u1")])])


def roundtrip(observations: list[Any], space: Any = None) -> dict[str, Any]:
    """Pack observations, write and read them as a segment's object."""
    leaves = describe_leaves(observations[0], find_changing_leaves(space))
    packed = [pack_observation(observation, leaves) for observation in observations]
    stored = read_npz(write_npz(packed, leaves))
    for name, column in stack_observations(packed, leaves).items():
        assert_equal(list(column), list(stored[name]))
    return stored


def assert_equal(found: Any, expected: Any) -> None:
    """Compare values with their types, dtypes and shapes; NaN equals NaN."""
    assert type(found) is type(expected)
    if isinstance(expected, np.ndarray | np.generic):
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        assert found.tobytes() == expected.tobytes() or not expected.dtype.isbuiltin or expected.dtype.hasobject
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            assert_equal(found[key], value)
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_equal(one, other)
    else:
        assert found == expected


def test_sequence_space_keeps_every_length() -> None:
    space = spaces.Sequence(spaces.Box(-1, 1, (2,), np.float32))
    values = [tuple(np.full(2, n, np.float32) for n in range(length)) for length in (2, 0, 3)]
    assert_equal(list(roundtrip(values, space)["observation"]), values)


def test_sequence_inside_a_dictionary_is_one_leaf() -> None:
    space = spaces.Dict({"goals": spaces.Sequence(spaces.Discrete(9)), "speed": spaces.Box(0, 1, (), np.float32)})
    values = [{"goals": (np.int64(1),), "speed": np.float32(n)} for n in range(3)]
    stored = roundtrip(values, space)
    assert_equal(list(stored["goals"]), [(np.int64(1),)] * 3)
    assert stored["speed"].tolist() == [0, 1, 2]


def test_graph_space_keeps_nodes_and_missing_edges() -> None:
    space = spaces.Graph(spaces.Box(0, 1, (3,)), spaces.Discrete(4))
    graphs = [
        GraphInstance(np.zeros((2, 3), np.float32), np.array([1]), np.array([[0, 1]])),
        GraphInstance(np.zeros((1, 3), np.float32), None, None),
    ]
    assert_equal(list(roundtrip(graphs, space)["observation"]), [tuple(graph) for graph in graphs])


@pytest.mark.parametrize(
    "observation",
    [
        np.zeros((0, 4), np.float32),
        np.zeros(3, STRUCTURED),
        np.array([(1, (2, 3), "abc", (4,))], STRUCTURED)[0],
        np.datetime64("2024-01-01T10:00"),
        np.float16(0.1),
        np.array([1 + 2j], np.complex64),
        np.array([2**64 - 1], np.uint64),
    ],
    ids=lambda value: str(value.dtype),
)
def test_array_of_any_dtype_comes_back(observation: Any) -> None:
    stored = roundtrip([observation, observation])["observation"]
    assert stored.dtype == np.asarray(observation).dtype
    assert stored.shape == (2, *np.shape(observation))
    assert stored.tobytes() == np.asarray(observation).tobytes() * 2


@pytest.mark.parametrize("value", [None, {1, 2}, [[1], [2, 3]], b"a\0", np.array([{1}, None], object)])
def test_object_observation_comes_back(value: Any) -> None:
    assert_equal(list(roundtrip([{"a": value}, {"a": value}])["a"]), [value, value])


def test_object_that_cannot_be_restored_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="a: a object cannot be recorded"):
        describe_leaves({"a": object()})


def test_array_that_becomes_ragged_is_refused_by_name() -> None:
    leaves = describe_leaves({"a": np.zeros(3)})
    with pytest.raises(ValueError, match=r"a has shape \(4,\); at the reset it had \(3,\)"):
        pack_observation({"a": np.zeros(4)}, leaves)
    with pytest.raises(ValueError, match="a is a NoneType; at the reset it was an array"):
        pack_observation({"a": None}, leaves)


SIMPLE = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary())
ARRAYS = hnp.arrays(
    hnp.scalar_dtypes().filter(lambda dtype: dtype.kind not in "Mm" or np.datetime_data(dtype)[0] != "generic"),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)
VALUES = st.recursive(
    SIMPLE | ARRAYS,
    lambda parts: (
        st.lists(parts, max_size=3) | st.tuples(parts, parts) | st.dictionaries(st.text(max_size=3), parts, max_size=3)
    ),
    max_leaves=6,
)


@given(st.lists(VALUES, min_size=1, max_size=4))
def test_changing_leaf_with_any_values_comes_back(values: list[Any]) -> None:
    space = spaces.Sequence(spaces.Discrete(2))
    assert_equal(list(roundtrip(values, space)["observation"]), values)
