"""What a version of an agent is, for the database and for those who run it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

Format = Literal["scripted", "onnx", "entry-point"]
Observation = Literal["picture", "environment", "atari"]
"""What a policy gets: the picture that people see, what the game's environment returns, or the view of Atari agents."""


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """What a version of an agent is. The fields are the columns of `agent_version`."""

    sha256: str
    format: Format
    games: tuple[str, ...]
    observation: Observation = "picture"
    entry_point: str | None = None
    env_spec: dict[str, Any] | None = None
    action_map: tuple[int, ...] | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
    licence: str | None = None


def find_unmatched(games: Sequence[str], game_ids: Iterable[str]) -> str | None:
    """Return the first of these patterns that no game has an id for, or None."""
    ids = list(game_ids)
    return next((one for one in games if not any(fnmatchcase(id_, one.removeprefix("!")) for id_ in ids)), None)


def matches(games: Sequence[str], game_id: str) -> bool:
    """Return whether the patterns of a version include a game. A pattern that begins with `!` excludes games."""
    included = (pattern for pattern in games if not pattern.startswith("!"))
    excluded = (pattern.removeprefix("!") for pattern in games if pattern.startswith("!"))
    return any(fnmatchcase(game_id, pattern) for pattern in included) and not any(
        fnmatchcase(game_id, pattern) for pattern in excluded
    )
