"""Continuous actions by numbered ones."""

import gymnasium
import numpy as np
import pytest

from skill_arcade.environments.control_probe import ineffective_controls
from skill_arcade.environments.discretized_actions import DiscretizedActionEnv
from skill_arcade.environments.factory import make_environment, make_environment_from_spec
from skill_arcade.environments.manifest_validation import validate_game
from skill_arcade.games.catalogue import load_catalogue

GAMES = load_catalogue().games
MEASURED = ["pendulum", "mountain-car-continuous", "lunar-lander-continuous"]


def test_levels_go_from_the_lowest_to_the_highest_with_rest_in_the_middle() -> None:
    pendulum = DiscretizedActionEnv("Pendulum-v1", 5)
    assert [pendulum.vector(action).tolist() for action in range(5)] == [[-2], [-1], [0], [1], [2]]
    lander = DiscretizedActionEnv("LunarLanderContinuous-v3", 3)
    assert lander.action_space == gymnasium.spaces.Discrete(9)
    assert lander.vector(5).tolist() == [0, 1]
    pendulum.close()
    lander.close()


def test_a_step_is_the_other_environments_own_with_that_vector() -> None:
    ours, theirs = DiscretizedActionEnv("Pendulum-v1", 5), gymnasium.make("Pendulum-v1")
    np.testing.assert_array_equal(ours.reset(seed=7)[0], theirs.reset(seed=7)[0])
    for action in (4, 4, 0, 2):
        mine, its = ours.step(action), theirs.step(ours.vector(action))
        np.testing.assert_array_equal(mine[0], its[0])
        assert mine[1:4] == its[1:4]
        assert mine[4]["vector"] == ours.vector(action).tolist()
    ours.close()
    theirs.close()


def test_what_has_numbered_actions_already_is_refused() -> None:
    with pytest.raises(ValueError, match="levels need a bounded vector"):
        DiscretizedActionEnv("CartPole-v1")


@pytest.mark.parametrize("name", MEASURED)
def test_a_measured_game_plays_and_runs_again_from_its_record(name: str) -> None:
    assert validate_game(GAMES[name]) == []
    assert ineffective_controls(GAMES[name]) == set()
    env = make_environment(GAMES[name].environment)
    again = make_environment_from_spec(env.spec)
    for one in (env, again):
        one.reset(11)
    for binding in GAMES[name].actions * 5:
        first, second = env.step(binding.action), again.step(binding.action)
        assert (first.reward, first.info) == (second.reward, second.info)
        assert env.picture().equals(again.picture())
    env.close()
    again.close()
