"""Reads objects and verifies their checksums."""

import hashlib

from skill_arcade.errors import ObjectMissing, RecordingDamaged
from skill_arcade.storage.objects import ObjectStore


async def read_verified(objects: ObjectStore, key: str, sha256: str) -> bytes:
    """Return the bytes of an object whose SHA-256 the database has.

    Raises:
        RecordingDamaged: the object is missing, or has other bytes.
        NotReady: the object store does not answer.
    """
    try:
        data = await objects.get(key)
    except ObjectMissing as error:
        raise _damaged(key, "is missing, although the database names it") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise _damaged(key, "has other bytes than were recorded: its SHA-256 differs")
    return data


def _damaged(key: str, fault: str) -> RecordingDamaged:
    return RecordingDamaged(f"Object {key} {fault}.", fault)
