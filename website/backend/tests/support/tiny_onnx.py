"""Tiny models in ONNX, written as bytes, because the tests do not have the package onnx.

Numbers of fields are those of onnx.proto. A model multiplies its input by a matrix.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FLOAT, UINT8 = 1, 2


def write_linear_model(
    file: Path,
    weights: NDArray[np.float32],
    *,
    shape: tuple[int, ...] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a model that flattens its input `obs`, of this shape after the batch, and multiplies it by `weights`.

    Without a shape the input is a vector. An input with more dimensions is uint8.
    """
    n_inputs, n_actions = weights.shape
    nodes: list[bytes] = []
    dimensions: tuple[int, ...] = (1, n_inputs)
    type_, source = FLOAT, "obs"
    if shape is not None:
        type_, dimensions = UINT8, (1, *shape)
        nodes.append(_node("Cast", ["obs"], "cast", _attribute("to", FLOAT)))
        nodes.append(_node("Flatten", ["cast"], "flat"))
        source = "flat"
    nodes.append(_node("MatMul", [source, "weights"], "values"))
    tensor = b"".join(_number(1, size) for size in weights.shape) + _number(2, FLOAT)
    tensor += _text(8, "weights") + _bytes(9, weights.astype("<f4").tobytes())
    graph = b"".join(_bytes(1, node) for node in nodes) + _text(2, "linear") + _bytes(5, tensor)
    graph += _bytes(11, _value("obs", type_, dimensions)) + _bytes(12, _value("values", FLOAT, (1, n_actions)))
    model = _number(1, 8) + _text(2, "tests") + _bytes(7, graph) + _bytes(8, _number(2, 17))
    for key, value in (metadata or {}).items():
        model += _bytes(14, _text(1, key) + _text(2, value))
    file.write_bytes(model)


def _node(operator: str, inputs: list[str], output: str, *attributes: bytes) -> bytes:
    node = b"".join(_text(1, name) for name in inputs) + _text(2, output) + _text(4, operator)
    return node + b"".join(_bytes(5, attribute) for attribute in attributes)


def _attribute(name: str, value: int) -> bytes:
    return _text(1, name) + _number(3, value) + _number(20, 2)


def _value(name: str, type_: int, dimensions: tuple[int, ...]) -> bytes:
    shape = b"".join(_bytes(1, _number(1, size)) for size in dimensions)
    return _text(1, name) + _bytes(2, _bytes(1, _number(1, type_) + _bytes(2, shape)))


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())
