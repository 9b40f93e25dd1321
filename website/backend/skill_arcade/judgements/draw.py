"""Draws the items of a set from episodes, reproducibly: clips, gold pairs and repeats."""

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from skill_arcade.errors import InvalidRequest
from skill_arcade.judgements.schema import SetSpecification

Side = Literal["first", "second"]
GOLD_CANDIDATES = 16
"""Pairs that are drawn for each gold pair; the one whose rewards differ most is taken."""
MAX_DRAWS_PER_ITEM = 200
"""Draws after which an item cannot be found that differs from all before it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An episode that clips may be drawn from. It has the frames 0 to `n_steps`."""

    episode_id: UUID
    n_steps: int


@dataclass(frozen=True, slots=True)
class Clip:
    """The frames `frame_from` to `frame_to` (exclusive) of an episode."""

    episode_id: UUID
    frame_from: int
    frame_to: int


@dataclass(frozen=True, slots=True)
class Item:
    """A pair of clips, or a clip to rate. `repeat_of` is the number of the item that it repeats, or None."""

    clips: tuple[Clip, ...]
    gold: Side | None = None
    repeat_of: int | None = None


SumRewards = Callable[[Clip], float]
"""Returns the sum of the rewards between the first and the last frame of a clip."""


def draw_items(
    specification: SetSpecification, candidates: Sequence[Candidate], n_frames: int, sum_rewards: SumRewards
) -> list[Item]:
    """Draw the items of a set: gold pairs are among the first, in random places, and repeats are at the end.

    Every episode is equally likely, and then every start of a clip in it. The clips of a pair are of two episodes if
    there are two.

    Raises:
        InvalidRequest: there are too few episodes or clips, or no two clips differ in their rewards.
    """
    generator = _Generator(specification.seed)
    usable = [one for one in candidates if one.n_steps + 1 >= n_frames]
    if not usable:
        raise InvalidRequest(
            f"No episode of {specification.game} has {n_frames} frames and may be used for this. Choose shorter clips, "
            "other sources, or check the consent of the players."
        )
    drawer = _Drawer(generator, usable, n_frames, n_clips=2 if specification.kind == "pair" else 1)
    gold_numbers = set(generator.sample(specification.items, specification.n_gold))
    items: list[Item] = []
    for number in range(specification.items):
        if number in gold_numbers:
            items.append(_draw_gold(drawer, sum_rewards))
        else:
            items.append(Item(drawer.draw()))
    repeated = sorted(generator.sample(specification.items, specification.n_repeats))
    return [*items, *(Item(items[number].clips, items[number].gold, number) for number in repeated)]


def hash_set(content: dict[str, Any], items: Sequence[Item]) -> str:
    """Return the SHA-256, in hexadecimal, of the canonical JSON of a specification and its items."""
    drawn = [
        {
            "clips": [[str(clip.episode_id), clip.frame_from, clip.frame_to] for clip in item.clips],
            "gold": item.gold,
            "repeat_of": item.repeat_of,
        }
        for item in items
    ]
    text = json.dumps({"content": content, "items": drawn}, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _draw_gold(drawer: "_Drawer", sum_rewards: SumRewards) -> Item:
    """Draw a pair whose better clip is known: the one with more reward."""
    best: tuple[float, tuple[Clip, ...]] | None = None
    for _ in range(GOLD_CANDIDATES):
        clips = drawer.propose()
        difference = sum_rewards(clips[0]) - sum_rewards(clips[1])
        if not drawer.is_taken(clips) and difference != 0 and (best is None or abs(difference) > abs(best[0])):
            best = difference, clips
    if best is None:
        raise InvalidRequest(
            f"Of {GOLD_CANDIDATES} pairs none has clips with different rewards, so that gold pairs cannot be drawn. "
            "Choose longer clips, or draw without gold pairs (gold: 0)."
        )
    drawer.take(best[1])
    return Item(best[1], "first" if best[0] > 0 else "second")


class _Drawer:
    """Draws clips that differ from all that were taken before."""

    def __init__(self, generator: "_Generator", candidates: Sequence[Candidate], n_frames: int, n_clips: int) -> None:
        self._generator, self._candidates = generator, candidates
        self._n_frames, self._n_clips = n_frames, n_clips
        self._taken: set[frozenset[Clip]] = set()

    def draw(self) -> tuple[Clip, ...]:
        """Draw and take clips. Raises InvalidRequest if all draws were taken before."""
        for _ in range(MAX_DRAWS_PER_ITEM):
            clips = self.propose()
            if not self.is_taken(clips):
                self.take(clips)
                return clips
        raise InvalidRequest(
            f"Only {len(self._taken)} different items can be drawn from {len(self._candidates)} episodes. Ask for "
            "fewer items, or for shorter clips."
        )

    def propose(self) -> tuple[Clip, ...]:
        """Draw clips, which may have been taken before."""
        n_episodes = len(self._candidates)
        first = self._generator.below(n_episodes)
        episodes = [first]
        if self._n_clips == 2:
            # Of the others, if there is one.
            episodes.append((first + 1 + self._generator.below(n_episodes - 1)) % n_episodes if n_episodes > 1 else 0)
        return tuple(self._draw_clip(self._candidates[index]) for index in episodes)

    def is_taken(self, clips: tuple[Clip, ...]) -> bool:
        """Return whether these clips were taken before, or are one and the same."""
        return len(set(clips)) < self._n_clips or frozenset(clips) in self._taken

    def take(self, clips: tuple[Clip, ...]) -> None:
        self._taken.add(frozenset(clips))

    def _draw_clip(self, candidate: Candidate) -> Clip:
        start = self._generator.below(candidate.n_steps + 2 - self._n_frames)
        return Clip(candidate.episode_id, start, start + self._n_frames)


class _Generator:
    """Random numbers that are the same in every version of Python: `random()` alone is promised to be."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def below(self, n: int) -> int:
        """Return an integer from 0 to `n - 1`."""
        return int(self._random.random() * n)

    def sample(self, n: int, count: int) -> list[int]:
        """Return `count` different integers from 0 to `n - 1`, in random order."""
        numbers = list(range(n))
        for index in range(count):
            other = index + self.below(n - index)
            numbers[index], numbers[other] = numbers[other], numbers[index]
        return numbers[:count]
