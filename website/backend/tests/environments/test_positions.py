"""Tests of positions: the player's colour is where RAM says, and an agent dies in a cell of lava or in a hole."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from skill_arcade.certify.deaths import Death, DeathFinder
from skill_arcade.environments.factory import make_environment
from skill_arcade.environments.playable_env import PlayableEnv, StepResult
from skill_arcade.environments.positions import RAM_POSITIONS, Position, read_grid_position
from skill_arcade.games.manifest import EnvironmentSpec

EMULATION = {"frameskip": 1, "repeat_action_probability": 0.0}
# Colour of the player in the picture, and the least share of frames in which it is seen: sprites blink and explode.
PLAYERS = {
    "ALE/Alien-v5": ((132, 144, 252), 0.5),
    "ALE/Frostbite-v5": ((162, 98, 33), 0.6),
    "ALE/MontezumaRevenge-v5": ((200, 72, 72), 0.9),
    "ALE/MsPacman-v5": ((210, 164, 74), 0.9),
    "ALE/Seaquest-v5": ((187, 187, 53), 0.6),
    "ALE/SpaceInvaders-v5": ((50, 132, 50), 0.8),
}


def play_randomly(
    env: PlayableEnv, n_steps: int, seed: int
) -> tuple[list[Position], list[NDArray[np.uint8]], list[Death], int]:
    """Take random actions. Return the positions and pictures, the deaths, and the number of lives lost."""
    rng, action = np.random.default_rng(seed), 0
    outcome = env.reset(seed)
    finder, lives, lost = DeathFinder(env, outcome), outcome.info.get("lives", 0), 0
    positions, pictures = [], []
    for step in range(n_steps):
        positions.append(read(env))
        pictures.append(env.picture().rgb().copy())
        if step % 12 == 0:
            action = int(rng.integers(env.n_actions))
        outcome = env.step(action)
        finder.follow(step, outcome)
        lost += max(lives - outcome.info.get("lives", 0), 0)
        lives = outcome.info.get("lives", 0)
        if outcome.terminated or outcome.truncated:
            break
    return positions, pictures, finder.deaths, lost


def read(env: Any) -> Position:
    position: Position | None = env.position()
    assert position is not None
    return position


def has_colour(picture: NDArray[np.uint8], place: Position, colour: tuple[int, int, int], shift: int = 0) -> bool:
    """Return whether the colour is within 8 pixels beside and 10 above or below a place."""
    x, y = (round(place.x * 160) + shift) % 160, round(place.y * 210)
    box = picture[max(y - 10, 0) : y + 10, max(x - 8, 0) : x + 8]
    return bool((box == colour).all(axis=-1).any())


@pytest.mark.parametrize("environment", RAM_POSITIONS)
def test_ram_position_has_colour_of_player_and_deaths_are_lives_lost(environment: str) -> None:
    env = make_environment(EnvironmentSpec(id=environment, kwargs=EMULATION))
    colour, least = PLAYERS[environment]
    positions, pictures, deaths, lost = play_randomly(env, 2300, seed=1)
    env.close()
    seen = [has_colour(picture, place, colour) for picture, place in zip(pictures, positions, strict=True)]
    elsewhere = [has_colour(picture, place, colour, 60) for picture, place in zip(pictures, positions, strict=True)]
    assert np.mean(seen) > least
    assert np.mean(seen) > np.mean(elsewhere) + 0.2
    assert len(deaths) == lost > 0
    for death in deaths:
        assert death.position == positions[death.frame]
        # A second before, the player was near: it has not been moved back to the start yet.
        before = positions[max(death.frame - 10, 0)]
        assert abs(before.x - death.position.x) < 0.15


@pytest.mark.parametrize(
    "environment",
    [
        "minigrid:MiniGrid-DistShift1-v0",
        "minigrid:MiniGrid-LavaGapS5-v0",
        "minigrid:MiniGrid-LavaCrossingS9N1-v0",
        "FrozenLake-v1",
    ],
)
def test_lost_episode_ends_in_cell_that_kills(environment: str) -> None:
    env: Any = make_environment(EnvironmentSpec(id=environment))
    n_found = 0
    for seed in range(1, 40):
        _, _, deaths, _ = play_randomly(env, 100, seed)
        world = env._env.unwrapped
        for death in deaths:
            n_found += 1
            place = death.position
            assert place.columns is not None
            assert place.rows is not None
            column, row = int(place.x * place.columns), int(place.y * place.rows)
            kind = world.desc[row][column] if environment == "FrozenLake-v1" else world.grid.get(column, row).type
            assert kind in (b"H", "lava")
    env.close()
    assert n_found > 5


def test_collision_with_obstacle_is_death_and_reward_is_none() -> None:
    env: Any = make_environment(EnvironmentSpec(id="minigrid:MiniGrid-Dynamic-Obstacles-5x5-v0"))
    first = env.reset(1)
    finder = DeathFinder(env, first)
    finder.follow(0, StepResult(None, 0.9, True, False, {}))
    finder.follow(1, StepResult(None, 0.0, False, True, {}))
    assert finder.deaths == []
    finder.follow(2, StepResult(None, -1.0, True, False, {}))
    assert finder.deaths == [Death(2, Position(1.5 / 5, 1.5 / 5, 5, 5))]
    env.close()


def test_other_environments_do_not_tell() -> None:
    for environment in ("ALE/Pong-v5", "CartPole-v1", "minigrid:MiniGrid-Empty-5x5-v0"):
        env: Any = make_environment(EnvironmentSpec(id=environment))
        assert not DeathFinder(env, env.reset(1)).tells_position
        env.close()
    assert read_grid_position("FrozenLake-v1", object()) is None
