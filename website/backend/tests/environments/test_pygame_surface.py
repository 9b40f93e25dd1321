"""Pictures taken from pygame surfaces equal those that the environments return themselves."""

from typing import Any

import gymnasium
import numpy as np
import pygame
import pytest
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from numpy.typing import NDArray

from skill_arcade.environments import picture_cache
from skill_arcade.environments.factory import make_environment
from skill_arcade.environments.gymnasium_env import GymnasiumPlayableEnv
from skill_arcade.environments.hanoi import TowerOfHanoiEnv
from skill_arcade.environments.pygame_surface import draws_on_surface, render_surface
from skill_arcade.games.manifest import EnvironmentSpec
from tests.support.catalogue import load_games

PYGAME_GAMES = (
    "acrobot",
    "blackjack-table",
    "cart-pole",
    "cliff-walking",
    "frozen-lake",
    "lunar-lander",
    "mountain-car",
    "taxi",
)
OTHER_GAMES = ("tower-of-hanoi", "minigrid-fetch", "pendulum")


@pytest.mark.parametrize("game", [*PYGAME_GAMES, *OTHER_GAMES])
def test_picture_equals_what_render_returns_in_every_step(game: str) -> None:
    env = make_environment(load_games()[game].environment)
    assert isinstance(env, GymnasiumPlayableEnv)
    assert env._draws_on_surface is (game in PYGAME_GAMES)
    original = env.make_again()  # another instance, because some pictures change when they are rendered twice
    actions = np.random.default_rng(1)
    env.reset(1)
    original.reset(seed=1)
    for step in range(60):
        picture = env.picture()
        np.testing.assert_array_equal(picture.rgb(), original.render())
        assert (picture.pixels.dtype == np.uint32) is (game in PYGAME_GAMES)
        action = int(actions.integers(env.n_actions))
        result = env.step(action)
        original.step(action + env._first)
        if result.terminated or result.truncated:
            env.reset(step + 2)
            original.reset(seed=step + 2)
    env.close()
    original.close()


@pytest.mark.parametrize("max_bytes", [picture_cache.MAX_BYTES, 3 * 512 * 512 * 4])
def test_frozen_lake_kept_pictures_equal_what_render_returns(max_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_cache, "MAX_BYTES", max_bytes)
    env = make_environment(EnvironmentSpec(id="FrozenLake-v1", kwargs={"map_name": "8x8"}))
    assert isinstance(env, GymnasiumPlayableEnv)
    original = env.make_again()
    actions = np.random.default_rng(1)
    states, n_kept = set(), 0
    for seed in range(1, 6):
        env.reset(seed)
        original.reset(seed=seed)
        for _ in range(40):
            kept = env._cache.find()
            picture = env.picture()
            n_kept += kept is not None and picture is kept
            np.testing.assert_array_equal(picture.rgb(), original.render())
            action = int(actions.integers(env.n_actions))
            states.add(int(env.step(action).observation))
            if original.step(action)[2]:
                break
        np.testing.assert_array_equal(env.picture().rgb(), original.render())
    assert len(states) > 5
    assert n_kept > 20
    assert env._cache._n_bytes == sum(kept.pixels.nbytes for kept in env._cache._pictures.values()) <= max_bytes


class Darker(gymnasium.Wrapper[NDArray[np.float32], np.int64, NDArray[np.float32], np.int64]):
    """Changes the picture."""

    def render(self) -> NDArray[np.uint8]:
        picture: NDArray[np.uint8] = np.asarray(super().render()) // 2
        return picture


def test_environment_with_a_wrapper_that_changes_the_picture_is_rendered_as_usual() -> None:
    env = make_environment(load_games()["cart-pole"].environment)
    assert isinstance(env, GymnasiumPlayableEnv)
    plain = env.make_again()
    assert draws_on_surface(plain)
    assert not draws_on_surface(Darker(plain))
    assert not draws_on_surface(gymnasium.wrappers.TimeLimit(Darker(plain), 5))


class FurtherDrawing(CartPoleEnv):
    """Draws on its picture, as an environment of others may."""

    def render(self) -> NDArray[np.uint8]:
        picture: NDArray[np.uint8] = np.asarray(super().render())  # type: ignore[no-untyped-call]
        surface: Any = self.screen
        pygame.surfarray.pixels3d(surface)[:9] = 0
        return picture


def test_environment_of_others_is_rendered_as_usual() -> None:
    assert not draws_on_surface(FurtherDrawing(render_mode="rgb_array"))


def test_render_that_uses_no_surface_or_two_returns_none_and_restores_pygame() -> None:
    env = FurtherDrawing(render_mode="rgb_array")
    env.reset(seed=1)
    pixels3d = pygame.surfarray.pixels3d
    assert render_surface(env) is None
    assert render_surface(TowerOfHanoiEnv(render_mode="rgb_array")) is None
    assert pygame.surfarray.pixels3d is pixels3d
