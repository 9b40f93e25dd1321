"""What an export will hold, decided once, before the first byte."""

import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import skill_arcade
from skill_arcade.dataset.episode import Episode
from skill_arcade.errors import InvalidRequest

# A part is what is done again after a kill, and one file of most formats.
PART_STEPS = 50_000
"""Steps after which an export starts a new part; parts are written in parallel."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some episodes of one group.

    `place`: of this part among the `of` parts of its group; `first`: number in the export of its first episode;
    `offset` and `offset_steps`: episodes and steps of the group before it.
    """

    number: int
    group: str
    place: int
    of: int
    first: int
    offset: int
    offset_steps: int
    episodes: list[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """An export. `key` makes its pseudonyms, and is gone when the export is done."""

    format: str
    where: str | None
    time_created: str
    skill_arcade: str
    key: str
    groups: dict[str, dict[str, Any]]
    parts: list[Part]

    @property
    def n_episodes(self) -> int:
        """How many episodes, in all."""
        return sum(len(part.episodes) for part in self.parts)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a plan that was written."""
        fields = json.loads(path.read_text())
        return cls(**{**fields, "parts": [Part(**part) for part in fields["parts"]]})

    def write(self, path: Path) -> None:
        """Write it down, whole or not at all."""
        fresh = path.with_suffix(".fresh")
        fresh.write_text(json.dumps(asdict(self), indent=1))
        fresh.replace(path)


def make_plan(format_: str, where: str | None, episodes: Iterable[Episode], *, part_steps: int | None = None) -> Plan:
    """Divide episodes into groups of one environment each, and those into parts (of `PART_STEPS`).

    Raises:
        InvalidRequest: there are no such episodes.
    """
    groups: dict[str, dict[str, Any]] = {}
    members: dict[str, list[Episode]] = {}
    # Ids sort by start: numbers of an export are in order of time within a group.
    for episode in sorted(episodes, key=lambda one: (one.game_id, one.id)):
        name = _find_group(groups, episode)
        members.setdefault(name, []).append(episode)
    if not members:
        raise InvalidRequest("No ended episode fulfils that: nothing to export.")
    parts: list[Part] = []
    first = 0
    for name, ours in members.items():
        offset = offset_steps = 0
        chunks = _divide(ours, part_steps or PART_STEPS)
        for place, chunk in enumerate(chunks):
            ids = [str(episode.id) for episode in chunk]
            parts.append(Part(len(parts), name, place, len(chunks), first, offset, offset_steps, ids))
            first, offset = first + len(chunk), offset + len(chunk)
            offset_steps += sum(episode.n_steps for episode in chunk)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Plan(format_, where, now, skill_arcade.__version__, secrets.token_hex(32), groups, parts)


def _find_group(groups: dict[str, dict[str, Any]], episode: Episode) -> str:
    """The group of the same game, environment and arguments; a game whose manifest changed has several."""
    wanted = {name: episode.environment.get(name) for name in ("id", "kwargs", "gymnasium")}
    for number in range(1, len(groups) + 2):
        name = episode.game_id if number == 1 else f"{episode.game_id}-{number}"
        if groups.setdefault(name, wanted) == wanted:
            return name
    raise AssertionError("a new name is always free")


def _divide(episodes: list[Episode], part_steps: int) -> list[list[Episode]]:
    chunks: list[list[Episode]] = [[]]
    steps = 0
    for episode in episodes:
        if chunks[-1] and steps + episode.n_steps > part_steps:
            chunks.append([])
            steps = 0
        chunks[-1].append(episode)
        steps += episode.n_steps
    return chunks
