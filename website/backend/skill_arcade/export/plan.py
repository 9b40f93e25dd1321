"""The plan of an export: its episodes, divided into groups and parts. It is made once, before the first part."""

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
from skill_arcade.export.reference import TEXT, describe_reference, list_texts

PART_STEPS = 50_000
"""Number of steps after which a new part starts. A part is repeated after a crash, and is one file in most formats."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some episodes of one group.

    `place` is the index of this part among the `of` parts of its group, and `first` is the number of its first episode
    in the export. `offset` and `offset_steps` count the episodes and steps of the group before this part.
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
    """The plan of an export. Its pseudonyms are derived from `key`, which is deleted when the export is finished."""

    format: str
    where: str | None
    time_created: str
    skill_arcade: str
    key: str
    groups: dict[str, dict[str, Any]]
    parts: list[Part]

    @property
    def n_episodes(self) -> int:
        """Total number of episodes."""
        return sum(len(part.episodes) for part in self.parts)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a plan from a file."""
        fields = json.loads(path.read_text())
        return cls(**{**fields, "parts": [Part(**part) for part in fields["parts"]]})

    def write(self, path: Path) -> None:
        """Write the plan to a file atomically."""
        temporary = path.with_suffix(".fresh")
        temporary.write_text(json.dumps(asdict(self), indent=1))
        temporary.replace(path)


def make_plan(
    format_: str,
    where: str | None,
    episodes: Iterable[Episode],
    *,
    part_steps: int | None = None,
    has_reference: bool = True,
    has_tasks: bool = False,
) -> Plan:
    """Divide episodes into groups with one environment each, and groups into parts of about `PART_STEPS` steps.

    Args:
        format_: name of the format.
        where: condition that selected the episodes, for the card.
        episodes: the episodes, in any order.
        part_steps: size of a part; None means `PART_STEPS`.
        has_reference: whether to describe types and shapes of each group; see `skill_arcade.export.reference`.
        has_tasks: whether to list the missions of each group.

    Raises:
        InvalidRequest: there are no episodes.
    """
    groups: dict[str, dict[str, Any]] = {}
    members: dict[str, list[Episode]] = {}
    # Ids sort by start time, so episode numbers are chronological within a group.
    for episode in sorted(episodes, key=lambda item: (item.game_id, item.id)):
        name = _find_group(groups, episode)
        members.setdefault(name, []).append(episode)
    if not members:
        raise InvalidRequest("No ended episode matches the condition, so there is nothing to export.")
    for name, group in groups.items():
        group["reference"] = reference = describe_reference(members[name]) if has_reference else None
        if has_tasks and reference and any(dtype == TEXT for dtype, _ in reference["leaves"].values()):
            group["tasks"] = list_texts(members[name])
    parts: list[Part] = []
    first = 0
    for name, group_episodes in members.items():
        offset = offset_steps = 0
        chunks = _divide(group_episodes, part_steps or PART_STEPS)
        for place, chunk in enumerate(chunks):
            ids = [str(episode.id) for episode in chunk]
            parts.append(Part(len(parts), name, place, len(chunks), first, offset, offset_steps, ids))
            first, offset = first + len(chunk), offset + len(chunk)
            offset_steps += sum(episode.n_steps for episode in chunk)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Plan(format_, where, now, skill_arcade.__version__, secrets.token_hex(32), groups, parts)


def _find_group(groups: dict[str, dict[str, Any]], episode: Episode) -> str:
    """Return the group with the same game, environment and arguments. A changed manifest creates another group."""
    description = {name: episode.environment.get(name) for name in ("id", "kwargs", "gymnasium")}
    for number in range(1, len(groups) + 2):
        name = episode.game_id if number == 1 else f"{episode.game_id}-{number}"
        if groups.setdefault(name, description) == description:
            return name
    raise AssertionError("a name with a new number is always unused")


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
