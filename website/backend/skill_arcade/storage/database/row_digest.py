"""Checksum of a segment's rows. It is the same before they are written and after they are read back."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from skill_arcade.storage.database.segment_writer import EVENT_COLUMNS, TRANSITION_COLUMNS

DigestedRows = Iterable[tuple[Sequence[Any], Mapping[str, Any] | None]]
"""Rows in the order of their columns, each with its `info` or `data` as an object."""


def _select_columns(columns: Sequence[str], *excluded: str) -> "itemgetter[Any]":
    return itemgetter(*(index for index, name in enumerate(columns) if name not in excluded))


# `id` is derived from other columns, and `shown_us` may be updated after the row is stored.
_transition_values = _select_columns(TRANSITION_COLUMNS, "id", "episode_id", "shown_us", "info", "time_created")
_event_values = _select_columns(EVENT_COLUMNS, "episode_id", "data")
_TIME_CREATED = TRANSITION_COLUMNS.index("time_created")


def digest_rows(transitions: DigestedRows, events: DigestedRows) -> str:
    """Return the SHA-256, in hexadecimal, of transitions and events in their order."""
    digest = hashlib.sha256()
    for row, info in transitions:
        digest.update(repr((*_transition_values(row), row[_TIME_CREATED].timestamp(), _canonical_json(info))).encode())
    digest.update(b"|")
    for row, data in events:
        digest.update(repr((*_event_values(row), _canonical_json(data))).encode())
    return digest.hexdigest()


def _canonical_json(value: Mapping[str, Any] | None) -> str | None:
    """Return canonical JSON: Postgres keeps neither the type of a number nor the order of an object's keys."""
    return None if value is None else json.dumps(_to_floats(value), sort_keys=True)


def _to_floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _to_floats(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_to_floats(part) for part in value]
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    try:
        return float(value)
    except OverflowError:  # JSONB holds integers of any size, and returns them as they are
        return value
