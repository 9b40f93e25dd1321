"""What a key may be: the same in every store."""

import re

from skill_arcade.errors import InvalidRequest

_KEY = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")
MAX_KEY_BYTES = 500
"""Longest object key."""


def check_key(key: str) -> str:
    """Return `key` if it is one: parts of a-z 0-9 . _ - that begin with a letter or digit, joined by '/'.

    Raises:
        InvalidRequest: it is not.
    """
    if len(key) > MAX_KEY_BYTES or not _KEY.fullmatch(key):
        raise InvalidRequest(f"{key[:80]!r} is no object key: use parts of a-z 0-9 . _ - joined by '/'.")
    return key
