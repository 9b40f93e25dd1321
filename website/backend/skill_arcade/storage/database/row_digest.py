"""A digest of a segment's rows, the same before they are written and after they are read back."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from skill_arcade.storage.database.segment_writer import EVENT_COLUMNS, TRANSITION_COLUMNS

DigestedValue = Iterable[tuple[Sequence[Any], Mapping[str, Any] | None]]
"""Rows in the order of their columns, each with its `info` or `data` as an object."""


def _places(columns: Sequence[str], *without: str) -> "itemgetter[Any]":
    return itemgetter(*(place for place, name in enumerate(columns) if name not in without))


# The id follows from the others, and an observation may be painted after its row was delivered.
_TRANSITION = _places(TRANSITION_COLUMNS, "id", "episode_id", "shown_us", "info", "time_created")
_EVENT = _places(EVENT_COLUMNS, "episode_id", "data")
_CREATED = TRANSITION_COLUMNS.index("time_created")


def digest_rows(transitions: DigestedValue, events: DigestedValue) -> str:
    """SHA-256, hexadecimal, of rows of these tables in their order, as they are before writing and after reading."""
    digest = hashlib.sha256()
    for row, info in transitions:
        digest.update(repr((*_TRANSITION(row), row[_CREATED].timestamp(), _text(info))).encode())
    digest.update(b"|")
    for row, data in events:
        digest.update(repr((*_EVENT(row), _text(data))).encode())
    return digest.hexdigest()


def _text(told: Mapping[str, Any] | None) -> str | None:
    """As it comes back from Postgres: a number in JSON has no type there, an object no order."""
    return None if told is None else json.dumps(_numbers(told), sort_keys=True)


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _numbers(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_numbers(part) for part in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
