"""Atari views as training data: those of `agent_view`, kept in a folder, with the actions that are paired with them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import numpy as np
import pytest

import skill_arcade.dataset as sa
from skill_arcade.dataset import agent_views


@dataclass
class Recorded:
    """What `AgentViews` reads of an episode."""

    n_steps: int
    seed: int
    id: UUID = field(default_factory=uuid4)
    n_reads: int = 0

    @property
    def frames(self) -> Any:
        """Random frames, counting how often they are read."""
        self.n_reads += 1
        rng = np.random.default_rng(self.seed)
        return rng.integers(0, 255, (self.n_steps + 1, 210, 160, 3), np.uint8)

    @property
    def actions(self) -> Any:
        """The action of each step is its index."""
        return np.arange(self.n_steps) + 1000 * self.seed

    def __len__(self) -> int:
        return self.n_steps


def make(folder: Path, *lengths: int, align: str = "applied") -> tuple[list[Recorded], sa.AgentViews]:
    episodes = [Recorded(n, seed) for seed, n in enumerate(lengths)]
    return episodes, sa.AgentViews(cast(Any, episodes), folder, align=align)


@pytest.mark.parametrize(("align", "shift"), [("applied", 0), ("shift_6", 6)])
def test_agent_views_pair_each_view_with_the_action_that_align_says(tmp_path: Path, align: str, shift: int) -> None:
    episodes, views = make(tmp_path, 41, 23, align=align)
    expected = {}
    for episode in episodes:
        seen = sa.agent_view(episode.frames)
        for step in range(shift, len(episode), 1):
            if (step - shift) % 4 == 0:
                expected[int(episode.actions[step])] = seen[(step - shift) // 4]
    batches = list(views.batches(5, seed=1))
    actions = np.concatenate([actions for _, actions in batches])
    assert sorted(actions.tolist()) == sorted(expected)
    assert len(views) == len(expected)
    for observations, done in batches:
        for observation, action in zip(observations, done, strict=True):
            np.testing.assert_array_equal(observation, expected[int(action)])


def test_agent_views_are_computed_once(tmp_path: Path) -> None:
    episodes, views = make(tmp_path, 17)
    for seed in range(3):
        list(views.batches(4, seed))
    list(sa.AgentViews(cast(Any, episodes), tmp_path).batches(4, 1))
    assert episodes[0].n_reads == 1


def test_agent_views_are_the_same_in_groups_of_episodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, views = make(tmp_path, 17, 30, 12)
    whole = {int(a): o for batch in views.batches(4, 1) for o, a in zip(*batch, strict=True)}
    monkeypatch.setattr(agent_views, "MAX_LOADED_VIEWS", 8)
    grouped = {int(a): o for batch in views.batches(4, 1) for o, a in zip(*batch, strict=True)}
    assert grouped.keys() == whole.keys()
    assert all((grouped[action] == whole[action]).all() for action in whole)


def test_agent_views_of_an_unknown_align_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shift_15"):
        make(tmp_path, 9, align="sometimes")
    assert list(make(tmp_path)[1].batches(4, 1)) == []
