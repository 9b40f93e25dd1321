"""Checksum of a segment's rows. It is the same before they are written and after they are read back."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from skill_arcade.storage.database.segment_writer import EVENT_COLUMNS
from skill_arcade.storage.database.transition_columns import COLUMN_NAMES, TRANSITION, Digest

DigestedRows = Iterable[tuple[Sequence[Any], Mapping[str, Any] | None]]
"""Rows in the order of their columns, each with its `info` or `data` as an object."""


def _select_columns(columns: Sequence[str], chosen: Iterable[str]) -> "itemgetter[Any]":
    return itemgetter(*(columns.index(name) for name in chosen))


_transition_values = _select_columns(
    COLUMN_NAMES, (column.name for column in TRANSITION if column.digest is Digest.always)
)
_added = [(index, column.name) for index, column in enumerate(TRANSITION) if column.digest is Digest.if_present]
_event_values = _select_columns(EVENT_COLUMNS, (name for name in EVENT_COLUMNS if name not in ("episode_id", "data")))
_TIME_CREATED = COLUMN_NAMES.index("time_created")


def digest_rows(transitions: DigestedRows, events: DigestedRows) -> str:
    """Return the SHA-256, in hexadecimal, of transitions and events in their order."""
    digest = hashlib.sha256()
    for row, info in transitions:
        values = (*_transition_values(row), row[_TIME_CREATED].timestamp(), _canonical_json(info))
        added = [(name, row[index]) for index, name in _added if row[index] is not None]
        digest.update(repr((*values, *added)).encode())
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
