"""The plan of an export: its episodes, divided into groups and parts. It is made once, before the first part."""

import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import skill_arcade
from skill_arcade.dataset.episode import Episode
from skill_arcade.durable_files import replace_file
from skill_arcade.errors import InvalidRequest
from skill_arcade.export.episode_facts import FrozenFacts
from skill_arcade.export.reference import TEXT, describe_reference, list_texts
from skill_arcade.storage.database.consents import RESEARCH

TRAIN, TEST = "train", "test"
MIN_PLAYERS_OF_SPLITS = 2
PART_STEPS = 50_000
"""Number of steps after which a new part starts. A part is repeated after a crash, and is one file in most formats."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some episodes of one group.

    `place` is the index of this part among the `of` parts of its group, and `first` is the number of its first episode
    in the export. `offset` and `offset_steps` count the episodes and steps of the group before this part. `split_place`
    is the index of the part among the `split_of` parts of its group that are in the same split.
    """

    number: int
    group: str
    place: int
    of: int
    first: int
    offset: int
    offset_steps: int
    episodes: list[str]
    split: str
    split_place: int
    split_of: int


@dataclass(frozen=True, slots=True)
class Saved:
    """What a version of a saved dataset sets in its plans, so that all of its exports have the same bytes."""

    key: str
    time_created: str
    skill_arcade: str
    dataset: dict[str, Any]
    certified: list[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of an export. Its pseudonyms are derived from `key`, which is deleted when the export is finished."""

    format: str
    where: str | None
    test_fraction: float | None
    time_created: str
    skill_arcade: str
    key: str
    groups: dict[str, dict[str, Any]]
    parts: list[Part]
    scope: str | None = RESEARCH
    """Scope of the players' consent that every episode has; None: the player's own episodes."""
    n_without_consent: int = 0
    """Episodes that match the condition and lack the scope."""
    dataset: dict[str, Any] | None = None
    """Version of a saved dataset, as `saved_datasets.describe_saved` describes it; None: a selection of now."""
    certified: list[str] | None = None
    """Ids of the certified episodes of that version."""
    published_where: str | None = None
    """The condition without ids of players and episodes; None: `where` has none."""

    @property
    def query(self) -> str | None:
        """The condition that the export publishes, or None if it has every ended episode."""
        return self.published_where or self.where

    @property
    def n_episodes(self) -> int:
        """Total number of episodes."""
        return sum(len(part.episodes) for part in self.parts)

    @property
    def frozen(self) -> FrozenFacts | None:
        """What a version of a saved dataset keeps of facts that change later; None: present facts."""
        if self.dataset is None:
            return None
        return FrozenFacts(datetime.fromisoformat(self.dataset["as_of"]), frozenset(self.certified or ()))

    def list_splits(self, group: str) -> list[str]:
        """Return the splits of a group in the order of its episodes: `train`, and `test` if there is one."""
        return list(dict.fromkeys(part.split for part in self.parts if part.group == group))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a plan from a file."""
        fields = json.loads(path.read_text())
        return cls(**{**fields, "parts": [Part(**part) for part in fields["parts"]]})

    def write(self, path: Path) -> None:
        """Write the plan to a file atomically."""
        replace_file(path, json.dumps(asdict(self), indent=1).encode())


def make_plan(
    format_: str,
    where: str | None,
    episodes: Iterable[Episode],
    *,
    test_fraction: float | None = None,
    part_steps: int | None = None,
    has_reference: bool = True,
    has_tasks: bool = False,
    scope: str | None = RESEARCH,
    n_without_consent: int = 0,
    saved: Saved | None = None,
) -> Plan:
    """Divide episodes into groups with one environment each, and groups into parts of about `PART_STEPS` steps.

    Args:
        format_: name of the format.
        where: condition that selected the episodes, for the card.
        episodes: the episodes, in any order.
        test_fraction: fraction of the players whose episodes are the split `test`; None means no such split.
        part_steps: size of a part; None means `PART_STEPS`.
        has_reference: whether to describe types and shapes of each group; see `skill_arcade.export.reference`.
        has_tasks: whether to list the missions of each group.
        scope: scope of the consent that the episodes have been selected by.
        n_without_consent: number of episodes that lack it.
        saved: the version of a saved dataset that the episodes are; None means a selection of now.

    Raises:
        InvalidRequest: there are no episodes, or too few players for two splits.
    """
    groups: dict[str, dict[str, Any]] = {}
    members: dict[str, list[Episode]] = {}
    # Ids sort by start time, so episode numbers are chronological within a group.
    for episode in sorted(episodes, key=lambda item: (item.game_id, item.id)):
        name = _find_group(groups, episode)
        members.setdefault(name, []).append(episode)
    if not members:
        if n_without_consent:
            raise InvalidRequest(describe_without_consent(n_without_consent, scope))
        raise InvalidRequest("No ended episode matches the condition, so there is nothing to export.")
    for name, group in groups.items():
        group["reference"] = reference = describe_reference(members[name]) if has_reference else None
        if any(episode.with_agent for episode in members[name]):
            group["with_agent"] = True
        if has_tasks and reference and any(dtype == TEXT for dtype, _ in reference["leaves"].values()):
            group["tasks"] = list_texts(members[name])
    test_players = _choose_test_players(members, test_fraction)
    parts: list[Part] = []
    first = 0
    for name, group_episodes in members.items():
        offset = offset_steps = place = 0
        splits = {
            split: _divide(chosen, part_steps or PART_STEPS)
            for split in (TRAIN, TEST)
            if (chosen := [one for one in group_episodes if (one.user_id in test_players) == (split == TEST)])
        }
        n_parts = sum(map(len, splits.values()))
        for split, chunks in splits.items():
            for split_place, chunk in enumerate(chunks):
                ids = [str(episode.id) for episode in chunk]
                position = (place, n_parts, first, offset, offset_steps)
                parts.append(Part(len(parts), name, *position, ids, split, split_place, len(chunks)))
                place, first, offset = place + 1, first + len(chunk), offset + len(chunk)
                offset_steps += sum(episode.n_steps for episode in chunk)
    if saved is not None:
        created = (saved.time_created, saved.skill_arcade, saved.key)
        more = (saved.dataset, saved.certified)
        return Plan(format_, where, test_fraction, *created, groups, parts, scope, n_without_consent, *more)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    created = (now, skill_arcade.__version__, secrets.token_hex(32))
    return Plan(format_, where, test_fraction, *created, groups, parts, scope, n_without_consent)


def describe_without_consent(count: int, scope: str | None) -> str:
    """Return a sentence about episodes that are left out for lack of consent, and what the owner can do."""
    return (
        f"Left out, because their players do not allow {scope}: {count} episodes. For those without any consent on "
        "record the owner decides: `skill-arcade consent status` counts them, and docs/consent.md says more."
    )


def _choose_test_players(members: dict[str, list[Episode]], fraction: float | None) -> set[str]:
    """Return the players of the split `test`: no player is in two splits, and new players move few of the others."""
    if fraction is None:
        return set()
    players = {episode.user_id for episodes in members.values() for episode in episodes}
    if len(players) < MIN_PLAYERS_OF_SPLITS:
        raise InvalidRequest(
            "All episodes are by one player, and a player is never in two splits. Export without --test-fraction, or "
            "select episodes of more players."
        )
    ranked = sorted(players, key=lambda player: hashlib.sha256(f"split {player}".encode()).digest())
    return set(ranked[: min(max(1, round(fraction * len(players))), len(players) - 1)])


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
