"""Framing of records in a journal file: length, CRC-32, kind, payload. Tells a torn tail from corruption."""

import struct
import zlib
from collections.abc import Iterator
from enum import IntEnum

MAGIC = b"SkillArcadeJournal1\n"
_HEAD = struct.Struct("<IIB")
_POLYNOMIAL = 0xEDB88320
"""Polynomial of the CRC-32 of zlib (RFC 1952, section 8), lowest bit first."""


class RecordKind(IntEnum):
    """Kind of a record."""

    HEADER = 1
    RESET = 2
    STEP = 3
    SHOWN = 4
    EVENT = 5
    END = 6
    SEAL = 7


_KINDS: dict[int, RecordKind] = {kind.value: kind for kind in RecordKind}


def frame_record(kind: RecordKind, *payload: bytes) -> bytes:
    """Return the bytes of one record."""
    body = b"".join(payload)
    return _HEAD.pack(len(body), zlib.crc32(body, kind), kind) + body


def is_corrupt(data: bytes, whole: int) -> bool:
    """Return whether the data after the first `whole` bytes is corrupt, rather than one record that was cut off.

    A write that was cut off leaves a record that is shorter than its length says, at the very end of the file.
    """
    if len(data) - whole < _HEAD.size:
        return False
    length, _, kind = _HEAD.unpack_from(data, whole)
    return kind not in _KINDS or whole + _HEAD.size + length <= len(data)


def repair_single_bit(data: bytes, whole: int) -> Iterator[bytes]:
    """Yield every version of the file in which one flipped bit makes the record at `whole` valid: mostly one or none.

    A CRC-32 distinguishes all single-bit errors of a record, so the position of the bit follows from the checksum. Only
    a bit of the kind and one of the first byte of the payload have the same checksum difference.
    """
    if whole == 0 and not data.startswith(MAGIC):
        flips = (_flip(data, place, bit) for place in range(min(len(MAGIC), len(data))) for bit in range(8))
        yield from (mended for mended in flips if mended.startswith(MAGIC))
        return
    whole = max(whole, len(MAGIC))
    start = whole + _HEAD.size
    if start > len(data):
        return
    flips = (_flip(data, place, bit) for place in range(whole, start) for bit in range(8))
    yield from (mended for mended in flips if _is_record(mended, whole))
    length, checksum, kind = _HEAD.unpack_from(data, whole)
    if start + length > len(data) or kind not in _KINDS:
        return
    difference, effect = zlib.crc32(data[start : start + length], kind) ^ checksum, _POLYNOMIAL
    for distance in range(8 * length):  # from the last bit that the checksum took in to the first
        if effect == difference:
            yield _flip(data, start + length - 1 - distance // 8, 7 - distance % 8)
            return
        effect = effect >> 1 ^ (_POLYNOMIAL if effect & 1 else 0)


def _flip(data: bytes, place: int, bit: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]


def _is_record(data: bytes, place: int) -> bool:
    length, checksum, kind = _HEAD.unpack_from(data, place)
    start = place + _HEAD.size
    fits = start + length <= len(data) and kind in _KINDS
    return fits and zlib.crc32(data[start : start + length], kind) == checksum


def split_records(data: bytes) -> Iterator[tuple[RecordKind, bytes, int]]:
    """Yield the whole records of a journal file: kind, payload, and the offset at which the record ends.

    Stops before the first record that is cut off or does not match its checksum.
    """
    if not data.startswith(MAGIC):
        return
    place, end = len(MAGIC), len(data)
    while place + _HEAD.size <= end:
        length, checksum, kind = _HEAD.unpack_from(data, place)
        start, place = place + _HEAD.size, place + _HEAD.size + length
        member = _KINDS.get(kind)
        if place > end or member is None:
            return
        body = data[start:place]
        if zlib.crc32(body, kind) != checksum:
            return
        yield member, body, place
