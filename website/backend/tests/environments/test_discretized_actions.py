"""Environments with continuous actions that are played with discrete ones."""

import gymnasium
import numpy as np
import pytest

from skill_arcade.environments.control_probe import ineffective_controls
from skill_arcade.environments.discretized_actions import DiscretizedActionEnv
from skill_arcade.environments.factory import make_environment, make_environment_from_spec
from skill_arcade.environments.manifest_validation import validate_game
from skill_arcade.games.catalogue import load_catalogue

GAMES = load_catalogue().games
DISCRETIZED_GAMES = ["pendulum", "mountain-car-continuous", "lunar-lander-continuous"]


def test_discretized_levels_are_ordered_with_zero_in_the_middle() -> None:
    pendulum = DiscretizedActionEnv("Pendulum-v1", 5)
    assert [pendulum.vector(action).tolist() for action in range(5)] == [[-2], [-1], [0], [1], [2]]
    lander = DiscretizedActionEnv("LunarLanderContinuous-v3", 3)
    assert lander.action_space == gymnasium.spaces.Discrete(9)
    assert lander.vector(5).tolist() == [0, 1]
    pendulum.close()
    lander.close()


def test_discretized_step_equals_step_of_original_environment() -> None:
    discretized, original = DiscretizedActionEnv("Pendulum-v1", 5), gymnasium.make("Pendulum-v1")
    np.testing.assert_array_equal(discretized.reset(seed=7)[0], original.reset(seed=7)[0])
    for action in (4, 4, 0, 2):
        step, original_step = discretized.step(action), original.step(discretized.vector(action))
        np.testing.assert_array_equal(step[0], original_step[0])
        assert step[1:4] == original_step[1:4]
        assert step[4]["vector"] == discretized.vector(action).tolist()
    discretized.close()
    original.close()


def test_discretized_env_of_discrete_actions_raises_value_error() -> None:
    with pytest.raises(ValueError, match="vector"):
        DiscretizedActionEnv("CartPole-v1")


@pytest.mark.parametrize("name", DISCRETIZED_GAMES)
def test_discretized_game_remade_from_spec_repeats_steps(name: str) -> None:
    assert validate_game(GAMES[name]) == []
    assert ineffective_controls(GAMES[name]) == set()
    env = make_environment(GAMES[name].environment)
    remade = make_environment_from_spec(env.spec)
    for each in (env, remade):
        each.reset(11)
    for binding in GAMES[name].actions * 5:
        first, second = env.step(binding.action), remade.step(binding.action)
        assert (first.reward, first.info) == (second.reward, second.info)
        assert env.picture().equals(remade.picture())
    env.close()
    remade.close()
