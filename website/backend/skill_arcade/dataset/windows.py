"""Recordings as training data: windows of observations with the actions that are paired with them."""

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skill_arcade.dataset.episode import Episode

ALIGN_PATTERN = re.compile(r"applied|seen|shift_(\d{1,4})")
MAX_CONCURRENT_READS = 8
"""Number of episodes that `Windows.batches` decodes and holds in memory at the same time."""


class Windows:
    """Windows of `length` consecutive steps of many episodes, usable as a dataset of `torch.utils.data.DataLoader`.

    Window i is a dictionary:

    - `observations`: (length, ...), or a dictionary of such arrays if an observation has parts.
    - `actions`: (length,) int64. `rewards`: (length,) float64.
    - `episode`: index of the episode. `step`: step of the first action.

    `align` selects the observation that an action is paired with:

    - `applied`: the observation on which the environment took the action.
    - `seen`: the observation on the player's screen at the input that determined the action. While a key is held, the
      distance stays that of the press. This compensates the latency of network and screen.
    - `shift_k`, such as `shift_15`: the observation k steps earlier. People react to what they saw 250 to 300 ms
      before, which is 15 to 18 observations at 60 Hz. This compensates the player's reaction time.

    Steps whose observation would be before the first one are excluded.
    """

    def __init__(
        self, episodes: Iterable[Episode], length: int = 1, *, align: str = "applied", stride: int = 1
    ) -> None:
        """Compute the windows. Frames are read on access.

        Raises:
            ValueError: `align` is not one of the above, or `length` or `stride` is less than 1.
        """
        check_align(align)
        if min(length, stride) < 1:
            raise ValueError("length and stride must be at least 1")
        self.episodes = list(episodes)
        self._length = length
        self._sources = [align_steps(episode, align) for episode in self.episodes]
        starts = [_find_starts(sources, length, stride) for sources in self._sources]
        counts = [np.full(len(first_steps), episode_index) for episode_index, first_steps in enumerate(starts)]
        self._episode_indices = np.concatenate(counts) if counts else np.empty(0, np.int64)
        self._starts = np.concatenate(starts) if starts else np.empty(0, np.int64)

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"window {index} does not exist: there are {len(self)} windows")
        episode_index, start = int(self._episode_indices[index]), int(self._starts[index])
        episode, rows = self.episodes[episode_index], slice(start, start + self._length)
        return {
            "observations": _take(episode.observations, self._sources[episode_index][rows]),
            "actions": episode.actions[rows],
            "rewards": episode.rewards[rows],
            "episode": episode_index,
            "step": start,
        }

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield all windows in order."""
        return (self[index] for index in range(len(self)))

    def batches(self, size: int, seed: int, *, readers: int = 2) -> Iterator[dict[str, Any]]:
        """Yield all windows once, shuffled, in batches of `size`: as from `__getitem__`, with one more axis in front.

        Episodes are shuffled, and then the windows of each group of `MAX_CONCURRENT_READS` episodes. A group is decoded
        by `readers` threads and is in memory as a whole: 100 kB per frame of an Atari game.
        """
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(self.episodes))
        batch: list[dict[str, Any]] = []
        with ThreadPoolExecutor(readers) as pool:
            for first in range(0, len(order), MAX_CONCURRENT_READS):
                chosen = [int(episode_index) for episode_index in order[first : first + MAX_CONCURRENT_READS]]
                loaded = dict(zip(chosen, pool.map(self._load, chosen), strict=True))
                for index in rng.permutation(np.flatnonzero(np.isin(self._episode_indices, chosen))):
                    batch.append(self._cut(int(index), loaded))
                    if len(batch) == size:
                        yield _stack(batch)
                        batch = []
        if batch:
            yield _stack(batch)

    def _load(self, episode_index: int) -> Any:
        observations = self.episodes[episode_index].observations
        return observations if isinstance(observations, dict) else np.asarray(observations)

    def _cut(self, index: int, loaded: dict[int, Any]) -> dict[str, Any]:
        episode_index, start = int(self._episode_indices[index]), int(self._starts[index])
        episode, rows = self.episodes[episode_index], slice(start, start + self._length)
        return {
            "observations": _take(loaded[episode_index], self._sources[episode_index][rows]),
            "actions": episode.actions[rows],
            "rewards": episode.rewards[rows],
            "episode": episode_index,
            "step": start,
        }


def check_align(align: str) -> None:
    """Raise ValueError if `align` is none of those that `Windows` describes."""
    if ALIGN_PATTERN.fullmatch(align) is None:
        raise ValueError(f"align must be applied, seen or shift_K such as shift_15, not {align!r}")


def align_steps(episode: Episode, align: str) -> NDArray[np.int64]:
    """Return, for each step, the index of the observation paired with its action; a negative index means none."""
    steps = np.arange(len(episode.actions))
    if align == "applied":
        return steps
    if align != "seen":
        return steps - int(align.removeprefix("shift_"))
    inputs, frames = episode.times["input_us"], episode.times["input_frame"]
    # A step is an onset if its input differs from the input of the previous step. NaN means no input.
    onset = ~np.isnan(inputs) & (inputs != np.concatenate([[np.nan], inputs[:-1]]))
    newest = np.maximum.accumulate(np.where(onset, steps, -1))
    seen = np.where(newest >= 0, frames[np.maximum(newest, 0)], np.nan)
    lag = np.where(np.isnan(seen), 0, newest - seen).astype(np.int64)
    return steps - lag


def _find_starts(sources: NDArray[np.int64], length: int, stride: int) -> NDArray[np.int64]:
    """Return the first steps of the windows whose observations all exist."""
    candidates = np.arange(0, len(sources) - length + 1, stride)
    missing = np.concatenate([[0], np.cumsum(sources < 0)])
    return candidates[missing[candidates + length] == missing[candidates]] if len(candidates) else candidates


def _take(observations: Any, indices: NDArray[np.int64]) -> Any:
    if isinstance(observations, dict):
        return {name: array[indices] for name, array in observations.items()}
    return observations[indices]


def _stack(windows: list[dict[str, Any]]) -> dict[str, Any]:
    first = windows[0]["observations"]
    stacked: Any = (
        {name: np.stack([window["observations"][name] for window in windows]) for name in first}
        if isinstance(first, dict)
        else np.stack([window["observations"] for window in windows])
    )
    names = ("actions", "rewards", "episode", "step")
    return {"observations": stacked, **{name: np.array([window[name] for window in windows]) for name in names}}
