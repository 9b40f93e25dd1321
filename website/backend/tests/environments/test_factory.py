import json
from typing import Any

import numpy as np
import pytest

from skill_arcade.environments.factory import make_environment, make_environment_from_spec
from skill_arcade.environments.gymnasium_env import GymnasiumPlayableEnv
from skill_arcade.environments.playable_env import PlayableEnv
from skill_arcade.environments.provenance import version_differences
from skill_arcade.errors import UnsupportedEnvironment
from skill_arcade.exact_json import encode_value
from skill_arcade.games.manifest import EnvironmentSpec

KWARGS_BY_ID = {
    "ALE/Breakout-v5": {"frameskip": 1, "repeat_action_probability": 0.25},
    "SkillArcade/TowerOfHanoi-v0": {"disks": 4, "illegal_reward": -1.0},
    "CartPole-v1": {},
    "FrozenLake-v1": {"map_name": "8x8"},
}


def trace(env: PlayableEnv, steps: int = 40) -> list[Any]:
    """Return everything that a re-run must repeat."""
    outcome = env.reset(424242)
    seen: list[Any] = [(np.array(outcome.observation).tolist(), outcome.info, bytes(env.picture().rgb()))]
    for action in np.random.default_rng(1).integers(env.n_actions, size=steps).tolist():
        outcome = env.step(action)
        step = (outcome.reward, outcome.terminated, outcome.truncated, outcome.info)
        seen.append((np.array(outcome.observation).tolist(), step, bytes(env.picture().rgb())))
        if outcome.terminated or outcome.truncated:
            break
    return seen


@pytest.mark.parametrize("env_id", KWARGS_BY_ID)
def test_environment_remade_from_spec_repeats_every_bit(env_id: str) -> None:
    env = make_environment(EnvironmentSpec(id=env_id, kwargs=KWARGS_BY_ID[env_id]))
    stored = json.loads(json.dumps(env.spec))
    remade = make_environment_from_spec(stored)
    assert trace(env) == trace(remade)
    assert version_differences(stored, remade.spec) == []
    env.close()
    remade.close()


def test_make_environment_keeps_the_time_limit() -> None:
    env = make_environment(EnvironmentSpec(id="FrozenLake-v1", kwargs={"max_episode_steps": 3, "is_slippery": False}))
    env.reset(1)
    assert [env.step(0).truncated for _ in range(3)] == [False, False, True]
    registered = make_environment(EnvironmentSpec(id="CartPole-v1"))
    assert registered.spec["gymnasium"]["max_episode_steps"] == 500


def test_make_environment_omits_checking_wrappers() -> None:
    env = make_environment(EnvironmentSpec(id="CartPole-v1"))
    assert isinstance(env, GymnasiumPlayableEnv)
    assert str(env._env) == "<TimeLimit<CartPoleEnv<CartPole-v1>>>"


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (EnvironmentSpec(id="ALE/Brakeout-v5"), "ALE/Brakeout-v5"),
        (EnvironmentSpec(id="nowhere_at_all:Env-v0"), "nowhere_at_all"),
        (EnvironmentSpec(id="CartPole-v1", kwargs={"poles": 2}), "poles"),
        (EnvironmentSpec(id="ALE/Pong-v5", kwargs={"frameskip": 0}), "frameskip"),
        (EnvironmentSpec(id="SkillArcade/TowerOfHanoi-v0", kwargs={"disks": 99}), "disks: 99"),
        (EnvironmentSpec(id="Pendulum-v1"), "Discrete"),
    ],
)
def test_make_environment_of_invalid_spec_raises_with_reason(spec: EnvironmentSpec, reason: str) -> None:
    with pytest.raises(UnsupportedEnvironment, match=reason):
        make_environment(spec)


def test_make_environment_from_spec_with_other_rom_raises() -> None:
    spec = json.loads(json.dumps(make_environment(EnvironmentSpec(id="ALE/Pong-v5")).spec))
    spec["rom"]["sha256"] = "0" * 64
    with pytest.raises(UnsupportedEnvironment, match="ROM"):
        make_environment_from_spec(spec)


def test_version_differences_names_both_versions() -> None:
    spec = make_environment(EnvironmentSpec(id="CartPole-v1")).spec
    recorded = {**spec, "packages": {**spec["packages"], "gymnasium": "1.3.9"}}
    (difference,) = version_differences(recorded, spec)
    assert "gymnasium" in difference
    assert "1.3.9" in difference


def test_encode_value_converts_numpy_to_plain_python() -> None:
    info = {"mask": np.array([1, 0], np.int8), "p": np.float32(0.5), "seeds": (np.uint32(7),), "1": {"x": None}}
    assert encode_value(info) == {"mask": [1, 0], "p": 0.5, "seeds": [7], "1": {"x": None}}
    json.dumps(encode_value({"strange": object}))
