"""Messages between the certifier and its worker processes."""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Job:
    """One task of a worker. `rerun` gives a `Verdict`, `digest` the digests of two runs or the text of a failure."""

    kind: Literal["rerun", "digest"]
    episode: UUID
    n_actions: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """A message of a worker.

    `progress` is a sign of life, `result` has the job's result, `unavailable` says in words that the database or the
    object store does not answer, and `idle` follows when the worker has
    started, and when an environment has been closed.
    """

    kind: Literal["progress", "result", "unavailable", "idle"]
    value: Any = None
