"""Defines valid object keys, which are the same in every store."""

import re

from skill_arcade.errors import InvalidRequest

_KEY = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")
CHUNK_BYTES = 1 << 20
"""Maximum size of a chunk of an object that is read or written piece by piece."""
MAX_KEY_BYTES = 500
"""Maximum length of an object key, in ASCII characters."""


def check_key(key: str) -> str:
    """Return `key` if it is valid.

    A key is one or more parts joined by '/'. A part has the characters a-z 0-9 . _ - and starts with a letter or digit.

    Raises:
        InvalidRequest: `key` is not valid.
    """
    if len(key) > MAX_KEY_BYTES or not _KEY.fullmatch(key):
        raise InvalidRequest(f"{key[:80]!r} is not a valid object key: use parts of a-z 0-9 . _ - joined by '/'.")
    return key
