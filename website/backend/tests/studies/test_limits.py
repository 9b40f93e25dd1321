"""The limit of a trial, which the study gives to the environment, ends it exactly there."""

import pytest

from skill_arcade.environments.factory import make_environment
from skill_arcade.games.catalogue import load_catalogue


@pytest.mark.parametrize("game", ["breakout", "tower-of-hanoi", "tetris", "lunar-lander"])
def test_trial_is_truncated_at_its_limit(game: str) -> None:
    spec = load_catalogue().games[game].environment
    environment = make_environment(spec.model_copy(update={"kwargs": {**spec.kwargs, "max_episode_steps": 20}}))
    environment.reset(1)
    steps = [environment.step(0) for _ in range(20)]
    assert [step.truncated for step in steps] == [False] * 19 + [True]
    environment.close()
