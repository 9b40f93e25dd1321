"""Atari recordings as training data for agents: their standard view, computed once and then read from a folder."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skill_arcade.dataset.agent_view import SIZE, SKIP, STACK, agent_view
from skill_arcade.dataset.episode import Episode
from skill_arcade.dataset.windows import align_steps, check_align
from skill_arcade.durable_files import replace_file

MAX_LOADED_VIEWS = 40_000
"""Views that `AgentViews.batches` holds in memory at a time, 7 kB each; at least one episode."""


class AgentViews:
    """What an agent would have seen in recorded play, with what the person did: 84 by 84 grey, skip 4, stack 4.

    The views are those of `agent_view`, which takes about a millisecond for a frame. They are computed at the first use
    and kept in a folder, 7 kB each, so that later batches cost no more than a copy.
    """

    def __init__(
        self,
        episodes: Iterable[Episode],
        folder: Path,
        *,
        align: str = "applied",
        skip: int = SKIP,
        stack: int = STACK,
        size: int = SIZE,
    ) -> None:
        """Pair each view with an action.

        Args:
            episodes: episodes of Atari games, one frame a step.
            folder: where the views are kept. It may be deleted at any time.
            align: observation that an action is paired with, as in `Windows`: `applied`, `seen`, or `shift_K`.
            skip: number of frames per step of the agent.
            stack: number of views in an observation, oldest first.
            size: width and height.

        Raises:
            ValueError: `align` is none of these.
        """
        check_align(align)
        self.episodes = list(episodes)
        self._folder, self._skip, self._stack, self._size = folder, skip, stack, size
        self._pairs = [self._pair(episode, align) for episode in self.episodes]

    def __len__(self) -> int:
        """Return the number of pairs."""
        return sum(len(views) for views, _ in self._pairs)

    def batches(self, size: int, seed: int) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        """Yield all pairs once, shuffled: observations (size, stack, height, width) and actions (size,).

        Episodes are shuffled, and then the pairs of as many episodes as `MAX_LOADED_VIEWS` allows. The last batch may
        be smaller.
        """
        rng = np.random.default_rng(seed)
        for group in self._group(rng.permutation(len(self.episodes))):
            loaded = [self._load(self.episodes[index]) for index in group]
            starts = np.cumsum([0, *(len(views) for views in loaded[:-1])])
            views = np.concatenate(loaded)
            newest = np.concatenate([self._pairs[index][0] + start for index, start in zip(group, starts, strict=True)])
            first = np.repeat(starts, [len(self._pairs[index][0]) for index in group])
            actions = np.concatenate([self._pairs[index][1] for index in group])
            back = np.arange(self._stack - 1, -1, -1)
            for rows in np.array_split(rng.permutation(len(actions)), range(size, len(actions), size)):
                if len(rows):
                    places = np.maximum(newest[rows, None] - back, first[rows, None])
                    yield views[places], actions[rows]

    def _pair(self, episode: Episode, align: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the index of the newest view, and the action, of each pair."""
        sources = align_steps(episode, align)
        steps = np.flatnonzero((sources >= 0) & (sources % self._skip == 0))
        return sources[steps] // self._skip, episode.actions[steps]

    def _group(self, order: NDArray[np.int64]) -> Iterator[list[int]]:
        group: list[int] = []
        n_views = 0
        for index in map(int, order):
            n_more = len(self.episodes[index]) // self._skip + 2
            if group and n_views + n_more > MAX_LOADED_VIEWS:
                yield group
                group, n_views = [], 0
            group.append(index)
            n_views += n_more
        if group:
            yield group

    def _load(self, episode: Episode) -> NDArray[np.uint8]:
        """Return the views of an episode, (n, height, width), from the folder if they are there."""
        path = self._folder / f"{episode.id}-{self._skip}-{self._size}.bin"
        shape = (-1, self._size, self._size)
        if not path.is_file():
            views = agent_view(episode.frames, skip=self._skip, stack=1, size=self._size)[:, 0]
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_file(path, views.tobytes())
        return np.fromfile(path, np.uint8).reshape(shape)
