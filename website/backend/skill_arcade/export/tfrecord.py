"""Reads and writes TFRecord files of `tf.train.Example` without TensorFlow.

A record consists of its length (8 bytes, little endian), a masked CRC-32C of the length, the bytes, and a masked
CRC-32C of the bytes. An Example is the protocol buffer
`features { feature { key, value { bytes_list | float_list | int64_list } } }`. It is encoded by hand, because three
kinds of lists need no code generator.
"""

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Self

import google_crc32c
import numpy as np
from numpy.typing import NDArray

Values = Sequence[bytes] | NDArray[np.float32] | NDArray[np.int64]


class RecordFile:
    """A TFRecord file that is written record by record."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("wb")

    def write(self, record: bytes) -> None:
        length = struct.pack("<Q", len(record))
        self._file.write(length + _masked(length))
        self._file.write(record)
        self._file.write(_masked(record))

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_records(path: Path) -> Iterator[bytes]:
    """Yield the records of a file. Raises ValueError if a checksum differs."""
    with path.open("rb") as file:
        while header := file.read(12):
            (length,) = struct.unpack("<Q", header[:8])
            body, check = file.read(length), file.read(4)
            if header[8:] != _masked(header[:8]) or check != _masked(body):
                raise ValueError(f"{path.name}: the checksum of a record differs")
            yield body


def write_example(features: dict[str, Values]) -> bytes:
    """Encode lists of bytes, float32 or int64 by name as an Example."""
    entries = []
    for name in sorted(features):
        feature = _field(_kind(features[name]), _list(features[name]))
        entries.append(_field(1, _field(1, name.encode()) + _field(2, feature)))
    return _field(1, b"".join(entries))


def read_example(record: bytes) -> dict[str, list[bytes] | NDArray[np.float32] | NDArray[np.int64]]:
    """Decode an Example to its lists by name."""
    lists: dict[str, list[bytes] | NDArray[np.float32] | NDArray[np.int64]] = {}
    for _, features in _fields(record):
        for _, entry in _fields(features):
            parts = dict(_fields(entry))
            ((kind, body),) = _fields(parts[2])
            values = [value for _, value in _fields(body)]
            name = parts[1].decode()
            if kind == 1:
                lists[name] = values
            elif kind == 2:
                lists[name] = np.frombuffer(b"".join(values), "<f4")
            else:
                lists[name] = _read_varints(b"".join(values))
    return lists


def _kind(values: Values) -> int:
    if not isinstance(values, np.ndarray):
        return 1
    return 2 if values.dtype == np.float32 else 3


def _list(values: Values) -> bytes:
    if not isinstance(values, np.ndarray):
        return b"".join(_field(1, value) for value in values)
    if values.dtype == np.float32:
        return _field(1, values.astype("<f4").tobytes())
    return _field(1, b"".join(_varint(int(value) & (1 << 64) - 1) for value in values))


def _field(number: int, body: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(body)) + body


def _fields(body: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(body):
        tag, position = _read_varint(body, position)
        length, position = _read_varint(body, position)
        yield tag >> 3, body[position : position + length]
        position += length


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def _read_varint(body: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if not byte & 0x80:
            return value, position


def _read_varints(body: bytes) -> NDArray[np.int64]:
    values, position = [], 0
    while position < len(body):
        value, position = _read_varint(body, position)
        values.append(value - (1 << 64) if value >> 63 else value)
    return np.array(values, np.int64)


def _masked(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
