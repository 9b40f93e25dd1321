from itertools import pairwise
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from skill_arcade.environments.hanoi import TowerOfHanoiEnv


def solution(disks: int, start: int, goal: int) -> list[int]:
    """Return the poles to press: lift, put, lift, put, ..."""
    if disks == 0:
        return []
    spare = 3 - start - goal
    return [*solution(disks - 1, start, spare), start, goal, *solution(disks - 1, spare, goal)]


def play(env: TowerOfHanoiEnv, actions: list[int]) -> list[tuple[list[int], float, bool, bool, dict[str, Any]]]:
    env.reset(seed=1)
    return [(obs.tolist(), *rest) for obs, *rest in (env.step(action) for action in actions)]


@pytest.mark.parametrize("kwargs", [{}, {"disks": 5, "poles": 4, "goal_pole": 1, "illegal_reward": -1.0}])
def test_hanoi_passes_gymnasium_env_checker(kwargs: dict[str, Any]) -> None:
    env = gymnasium.make("SkillArcade/TowerOfHanoi-v0", render_mode="rgb_array", **kwargs)
    check_env(env.unwrapped)


@pytest.mark.parametrize("disks", [1, 3, 4, 5])
def test_hanoi_shortest_solution_terminates_as_solved(disks: int) -> None:
    env = TowerOfHanoiEnv(disks=disks, goal_reward=100.0, move_reward=-1.0)
    steps = play(env, solution(disks, 0, 2))
    assert [terminated for _, _, terminated, _, _ in steps] == [False] * (len(steps) - 1) + [True]
    observation, _, _, truncated, info = steps[-1]
    assert observation == [2] * disks + [0]
    assert not truncated
    assert info == {
        "illegal": False, "illegal_actions": 0, "moves": 2**disks - 1, "lifted": 0, "solved": True
    }  # fmt: skip
    assert sum(reward for _, reward, *_ in steps) == 100 - (2**disks - 1)


def test_hanoi_lift_from_empty_pole_is_illegal() -> None:
    ((observation, reward, _, _, info),) = play(TowerOfHanoiEnv(illegal_reward=-0.5), [1])
    assert observation == [0, 0, 0, 0]
    assert reward == -0.5
    assert (info["illegal"], info["illegal_actions"], info["lifted"]) == (True, 1, 0)


def test_hanoi_larger_disk_on_smaller_one_is_illegal() -> None:
    steps = play(TowerOfHanoiEnv(illegal_reward=-0.5), [0, 1, 0, 1, 2])
    assert steps[2][0] == [1, 0, 0, 2]
    observation, reward, _, _, info = steps[3]
    assert observation == [1, 0, 0, 2], "disk 2 stays in the air"
    assert (reward, info["illegal"], info["moves"], info["lifted"]) == (-0.5, True, 1, 2)
    assert steps[4][0] == [1, 2, 0, 0]
    assert not steps[4][4]["illegal"]


def test_hanoi_disk_put_back_counts_no_move() -> None:
    steps = play(TowerOfHanoiEnv(move_reward=-1.0), [0, 0])
    assert steps[1][0] == [0, 0, 0, 0]
    assert [reward for _, reward, *_ in steps] == [0.0, 0.0]
    assert steps[1][4]["moves"] == 0


def test_hanoi_goal_pole_argument_sets_the_goal() -> None:
    steps = play(TowerOfHanoiEnv(disks=2, goal_pole=1), solution(2, 0, 1))
    assert steps[-1][2]
    assert not any(terminated for _, _, terminated, *_ in play(TowerOfHanoiEnv(disks=2), solution(2, 0, 1)))


def test_hanoi_max_steps_truncates_without_termination() -> None:
    flags = [(terminated, truncated) for _, _, terminated, truncated, _ in play(TowerOfHanoiEnv(max_steps=3), [1] * 3)]
    assert flags == [(False, False), (False, False), (False, True)]


@pytest.mark.parametrize(
    ("kwargs", "name"),
    [
        ({"disks": 0}, "disks"),
        ({"poles": 2}, "poles"),
        ({"goal_pole": 0}, "goal_pole"),
        ({"goal_pole": -3}, "goal_pole"),
        ({"goal_pole": 3}, "goal_pole"),
        ({"max_steps": 0}, "max_steps"),
        ({"render_mode": "human"}, "render_mode"),
    ],
)
def test_hanoi_invalid_argument_raises_with_its_name(kwargs: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: "):
        TowerOfHanoiEnv(**kwargs)


@pytest.mark.parametrize("disks", [3, 9])
def test_hanoi_pictures_use_fewer_than_255_colours(disks: int) -> None:
    env = TowerOfHanoiEnv(disks=disks, poles=4, render_mode="rgb_array")
    env.reset(seed=1)
    colours: set[int] = set()
    for action in np.random.default_rng(0).integers(4, size=400):
        env.step(action)
        picture = env.render()
        assert picture is not None
        assert picture.shape == (360, 640, 3)
        colours |= set(np.unique(picture.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)).tolist())
    assert len(colours) < 255


def test_hanoi_states_have_distinct_reproducible_pictures() -> None:
    def pictures() -> list[bytes]:
        env = TowerOfHanoiEnv(render_mode="rgb_array")
        env.reset(seed=1)
        seen = []
        for action in solution(3, 0, 2):
            seen.append(bytes(env.render()))  # type: ignore[arg-type]
            env.step(action)
        return seen

    first = pictures()
    assert pictures() == first
    assert len(set(first)) == len(first)


def test_hanoi_illegal_action_is_shown_until_next_action() -> None:
    env = TowerOfHanoiEnv(render_mode="rgb_array")
    env.reset(seed=1)
    pictures = [bytes(env.render())]  # type: ignore[arg-type]
    for action in (1, 0, 0):
        env.step(action)
        pictures.append(bytes(env.render()))  # type: ignore[arg-type]
    assert all(one != other for one, other in pairwise(pictures))
    assert pictures[3] == pictures[0]
