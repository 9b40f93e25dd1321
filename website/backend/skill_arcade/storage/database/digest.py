"""A digest of a segment's rows, the same before they are written and after they are read back."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from skill_arcade.storage.database.delivered import EVENT_COLUMNS, TRANSITION_COLUMNS

# The id follows from the others, and an observation may be painted after its row was delivered.
_TRANSITION = tuple(name for name in TRANSITION_COLUMNS if name not in {"id", "episode_id", "shown_us"})
_EVENT = tuple(name for name in EVENT_COLUMNS if name != "episode_id")


def digest_rows(transitions: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]) -> str:
    """SHA-256, hexadecimal, of rows of these tables in their order; `info` and `data` as objects, not as text."""
    digest = hashlib.sha256()
    for names, rows in ((_TRANSITION, transitions), (_EVENT, events)):
        for row in rows:
            digest.update(repr([_plain(row[name]) for name in names]).encode())
        digest.update(b"|")
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    """As it comes back from Postgres: a number in JSON has no type there, an object no order."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, dict):
        return json.dumps(_numbers(value), sort_keys=True)
    return value


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _numbers(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_numbers(part) for part in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
