"""Records in a file: length, checksum, kind, payload. A torn tail is told from a whole record."""

import struct
import zlib
from collections.abc import Iterator
from enum import IntEnum

MAGIC = b"SkillArcadeJournal1\n"
_HEAD = struct.Struct("<IIB")


class Kind(IntEnum):
    """What a record holds."""

    HEAD = 1
    RESET = 2
    STEP = 3
    SHOWN = 4
    EVENT = 5
    END = 6
    SEAL = 7


def frame_record(kind: Kind, *payload: bytes) -> bytes:
    """One record, ready to append."""
    body = b"".join(payload)
    return _HEAD.pack(len(body), zlib.crc32(body, kind), kind) + body


def split_records(data: bytes) -> Iterator[tuple[Kind, bytes, int]]:
    """Whole records from the start of a journal file: kind, payload, and where the record ends.

    Stops before the first record that is cut off or does not match its checksum: what follows is not trusted.
    """
    if not data.startswith(MAGIC):
        return
    place, end = len(MAGIC), len(data)
    while place + _HEAD.size <= end:
        length, checksum, kind = _HEAD.unpack_from(data, place)
        start, place = place + _HEAD.size, place + _HEAD.size + length
        if place > end or kind not in Kind._value2member_map_:
            return
        body = data[start:place]
        if zlib.crc32(body, kind) != checksum:
            return
        yield Kind(kind), body, place
