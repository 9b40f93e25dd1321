"""The columns of a transition: the one list from which every other list of them is derived.

To add a column, append it here with `digest=Digest.if_present`, write a migration, and give it a value in
`uploader/rows.py`. With `is_time` it is in `Episode.times` and in every export.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, Boolean, Column, DateTime, Float, ForeignKey, Integer, String, Uuid
from sqlalchemy.dialects.postgresql import JSONB


class Kind(Enum):
    """Type of a column: in Postgres, in NumPy, and in exports of tables."""

    uuid = (Uuid, None, "string")
    int32 = (Integer, np.int64, "int64")
    int64 = (BigInteger, np.int64, "int64")
    float64 = (Float, np.float64, "double")
    boolean = (Boolean, np.bool_, "bool")
    text = (String, None, "string")
    timestamp = (DateTime, "datetime64[us]", "timestamp")
    json = (JSONB, None, "string")


class Digest(StrEnum):
    """Whether a column counts in the checksum of a segment's rows."""

    always = "always"
    if_present = "if present"
    """Only if it has a value: segments that were uploaded before the column was added keep their checksum."""
    apart = "apart"
    """In a form of its own, after the other columns."""
    never = "never"


@dataclass(frozen=True, slots=True)
class TransitionColumn:
    """A column. `comment` names unit and clock, and what NULL means.

    A `time` says when something of the step happened; the others are what happened. `is_exported` columns are in
    exports of tables.
    """

    name: str
    kind: Kind
    comment: str
    nullable: bool = False
    digest: Digest = Digest.always
    is_time: bool = False
    is_exported: bool = True

    @property
    def time_dtype(self) -> Any:
        """NumPy type in `Episode.times`. A time that may be missing is a float64, which holds it exactly, or NaN."""
        return np.float64 if self.nullable else self.kind.value[1]

    def to_sql(self) -> Column[Any]:
        """Return the column of the table."""
        options: dict[str, Any] = {"nullable": self.nullable, "comment": self.comment}
        if self.name == "episode_id":
            return Column(self.name, Uuid(), ForeignKey("episode.id"), primary_key=True, **options)
        if self.name == "step":
            return Column(self.name, Integer(), primary_key=True, autoincrement=False, **options)
        if self.kind is Kind.json:  # None is stored as SQL NULL and not as JSON null
            return Column(self.name, JSONB(none_as_null=True), **options)
        type_ = DateTime(timezone=True) if self.kind is Kind.timestamp else self.kind.value[0]()
        return Column(self.name, type_, **options)


TRANSITION = (
    TransitionColumn(
        "id",
        Kind.uuid,
        "episode_id + step + 1; not indexed, select by episode_id and step",
        digest=Digest.never,
        is_exported=False,
    ),
    TransitionColumn("episode_id", Kind.uuid, "episode", digest=Digest.never),
    TransitionColumn("step", Kind.int32, "0-based index of the step in the episode"),
    TransitionColumn(
        "obs_key", Kind.text, "observation acted on: SEGMENT/INDEX, the index within the segment", is_exported=False
    ),
    TransitionColumn("action", Kind.int32, "index of the action in the environment's action space"),
    TransitionColumn("reward", Kind.float64, "reward returned by step()"),
    TransitionColumn(
        "next_obs_key", Kind.text, "observation after the step: obs_key of the next step", is_exported=False
    ),
    TransitionColumn("terminated", Kind.boolean, "terminated, returned by step()"),
    TransitionColumn("truncated", Kind.boolean, "truncated, returned by step()"),
    TransitionColumn(
        "info",
        Kind.json,
        "stored keys of info; null: same as for the previous step",
        nullable=True,
        digest=Digest.apart,
    ),
    TransitionColumn(
        "time_created",
        Kind.timestamp,
        "time at which step() returned, server wall clock",
        digest=Digest.apart,
        is_time=True,
    ),
    TransitionColumn(
        "server_us",
        Kind.int64,
        "start of step(): microseconds since the episode's start, server monotonic clock",
        is_time=True,
    ),
    TransitionColumn(
        "late_us",
        Kind.int32,
        "delay of the step after its deadline, microseconds; null: turn-based or lockstep",
        nullable=True,
        is_time=True,
    ),
    TransitionColumn(
        "shown_us",
        Kind.int64,
        "paint of the observation acted on: microseconds since the time origin, browser clock; null: not painted",
        nullable=True,
        digest=Digest.never,  # the browser reports it later, and it may be updated
        is_time=True,
    ),
    TransitionColumn(
        "input_us",
        Kind.int64,
        "input that determined the action: microseconds since the time origin, browser clock; null: no input yet",
        nullable=True,
        is_time=True,
    ),
    TransitionColumn(
        "input_received_us",
        Kind.int64,
        "arrival of that input: microseconds since the episode's start, server monotonic clock; null: no input yet",
        nullable=True,
        is_time=True,
    ),
    TransitionColumn(
        "input_frame",
        Kind.int32,
        "index of the observation on the player's screen at that input; null: unknown, or no input yet",
        nullable=True,
        is_time=True,
    ),
    TransitionColumn(
        "stepped_us",
        Kind.int64,
        "lockstep: start of the step in the browser, microseconds since the time origin, browser clock; null: streamed",
        nullable=True,
        is_time=True,
    ),
)
"""The columns in the order in which rows are written and digested. Append new ones."""

COLUMN_NAMES = tuple(column.name for column in TRANSITION)
TIMES = tuple(column for column in TRANSITION if column.is_time)
MISSING_TIMES = tuple(column.name for column in TIMES if column.nullable)
"""Names of the times that a step may not have."""
