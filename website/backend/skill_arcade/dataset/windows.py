"""Recordings as training data: windows of observations with the actions that were taken on them, or meant for them."""

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skill_arcade.dataset.episode import Episode

ALIGN = re.compile(r"applied|seen|shift_(\d{1,4})")
# Episodes of a shuffled pass that are in memory at once.
MAX_CONCURRENT_READS = 8
"""Episodes that `Windows.batches` reads at the same time."""


class Windows:
    """Windows of `length` steps in a row, of many episodes; `torch.utils.data.DataLoader` takes it as it is.

    Window i is a dictionary:

    - `observations`: (length, ...), or a dictionary of such arrays where an observation has parts;
    - `actions`: (length,) int64;  `rewards`: (length,) float64;
    - `episode`: which of the episodes;  `step`: of the first action.

    `align` says which observation an action is paired with:

    - `applied`: the one that the environment was in when it took the action;
    - `seen`: the one that was on the player's screen when the input happened that made the action; while a key is
      held, as many observations back as at its press. What network and screen took is undone by this;
    - `shift_k`, such as `shift_15`: k observations back. A person acts on what was seen 250 to 300 ms ago, which is
      15 to 18 observations at 60 a second. What the person took is undone by this.

    Steps whose observation would lie before the first one are left out.
    """

    def __init__(
        self, episodes: Iterable[Episode], length: int = 1, *, align: str = "applied", stride: int = 1
    ) -> None:
        """Find the windows; frames are read when they are asked for.

        Raises:
            ValueError: `align` is none of those, or a length is less than 1.
        """
        if ALIGN.fullmatch(align) is None:
            raise ValueError(f"align is applied, seen or shift_K such as shift_15, not {align!r}")
        if min(length, stride) < 1:
            raise ValueError("length and stride are at least 1")
        self.episodes = list(episodes)
        self._length = length
        self._sources = [align_steps(episode, align) for episode in self.episodes]
        starts = [_find_starts(sources, length, stride) for sources in self._sources]
        counts = [np.full(len(found), number) for number, found in enumerate(starts)]
        self._owners = np.concatenate(counts) if counts else np.empty(0, np.int64)
        self._starts = np.concatenate(starts) if starts else np.empty(0, np.int64)

    def __len__(self) -> int:
        """How many windows."""
        return len(self._starts)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """A window."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"there are {len(self)} windows")
        number, start = int(self._owners[index]), int(self._starts[index])
        episode, rows = self.episodes[number], slice(start, start + self._length)
        return {
            "observations": _take(episode.observations, self._sources[number][rows]),
            "actions": episode.actions[rows],
            "rewards": episode.rewards[rows],
            "episode": number,
            "step": start,
        }

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """All windows, in order."""
        return (self[index] for index in range(len(self)))

    def batches(self, size: int, seed: int, *, readers: int = 2) -> Iterator[dict[str, Any]]:
        """All windows once, shuffled, `size` at a time, as `__getitem__` has them with one more axis in front.

        Episodes are shuffled, and windows among those of eight episodes, which are decoded by `readers` threads and in
        memory together: 100 kB a frame for an Atari game.
        """
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(self.episodes))
        left: list[dict[str, Any]] = []
        with ThreadPoolExecutor(readers) as pool:
            for first in range(0, len(order), MAX_CONCURRENT_READS):
                chosen = [int(number) for number in order[first : first + MAX_CONCURRENT_READS]]
                loaded = dict(zip(chosen, pool.map(self._load, chosen), strict=True))
                for index in rng.permutation(np.flatnonzero(np.isin(self._owners, chosen))):
                    left.append(self._cut(int(index), loaded))
                    if len(left) == size:
                        yield _stack(left)
                        left = []
        if left:
            yield _stack(left)

    def _load(self, number: int) -> Any:
        found = self.episodes[number].observations
        return found if isinstance(found, dict) else np.asarray(found)

    def _cut(self, index: int, loaded: dict[int, Any]) -> dict[str, Any]:
        number, start = int(self._owners[index]), int(self._starts[index])
        episode, rows = self.episodes[number], slice(start, start + self._length)
        return {
            "observations": _take(loaded[number], self._sources[number][rows]),
            "actions": episode.actions[rows],
            "rewards": episode.rewards[rows],
            "episode": number,
            "step": start,
        }


def align_steps(episode: Episode, align: str) -> NDArray[np.int64]:
    """For each step, the observation that its action is paired with; negative: there is none."""
    steps = np.arange(len(episode.actions))
    if align == "applied":
        return steps
    if align != "seen":
        return steps - int(align.removeprefix("shift_"))
    inputs, frames = episode.times["input_us"], episode.times["input_frame"]
    # A step is an onset when its input is not that of the step before; NaN is no input.
    onset = ~np.isnan(inputs) & (inputs != np.concatenate([[np.nan], inputs[:-1]]))
    newest = np.maximum.accumulate(np.where(onset, steps, -1))
    seen = np.where(newest >= 0, frames[np.maximum(newest, 0)], np.nan)
    lag = np.where(np.isnan(seen), 0, newest - seen).astype(np.int64)
    return steps - lag


def _find_starts(sources: NDArray[np.int64], length: int, stride: int) -> NDArray[np.int64]:
    """First steps of windows all of whose observations exist."""
    candidates = np.arange(0, len(sources) - length + 1, stride)
    missing = np.concatenate([[0], np.cumsum(sources < 0)])
    return candidates[missing[candidates + length] == missing[candidates]] if len(candidates) else candidates


def _take(observations: Any, indices: NDArray[np.int64]) -> Any:
    if isinstance(observations, dict):
        return {name: array[indices] for name, array in observations.items()}
    return observations[indices]


def _stack(windows: list[dict[str, Any]]) -> dict[str, Any]:
    first = windows[0]["observations"]
    seen: Any = (
        {name: np.stack([one["observations"][name] for one in windows]) for name in first}
        if isinstance(first, dict)
        else np.stack([one["observations"] for one in windows])
    )
    names = ("actions", "rewards", "episode", "step")
    return {"observations": seen, **{name: np.array([one[name] for one in windows]) for name in names}}
