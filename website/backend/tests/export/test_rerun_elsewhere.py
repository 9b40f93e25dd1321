"""Tests that a recorded environment is created by Gymnasium alone, in a process that imports nothing else of ours."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.export.conftest import Arcade

RERUN = """
import json, sys
import gymnasium
import numpy as np

recorded = json.loads(sys.stdin.read())
environment = gymnasium.make(recorded["id"], **recorded["kwargs"])
observation, _ = environment.reset(seed=recorded["seed"])
observations, rewards = [observation], []
for action in recorded["actions"]:
    observation, reward, *_ = environment.step(action)
    observations.append(observation)
    rewards.append(float(reward))
ours = sorted(name for name in sys.modules if name.startswith("skill_arcade."))
np.savez(sys.argv[1], observations=np.array(observations), rewards=rewards, modules=ours)
"""


@pytest.mark.parametrize(("game", "module"), [("breakout", "ale_py:"), ("cart-pole", ""), ("tower-of-hanoi", "")])
def test_episode_is_rerun_by_gymnasium_alone(game: str, module: str, arcade: Arcade, tmp_path: Path) -> None:
    episode = next(arcade.dataset.episodes(game=game))
    recorded = {
        # Gymnasium imports the module before the colon, which registers the environment.
        "id": f"{module}{episode.environment['id']}",
        "kwargs": episode.environment["kwargs"],
        "seed": episode.seed,
        "actions": episode.actions.tolist(),
    }
    out = tmp_path / "again.npz"
    subprocess.run([sys.executable, "-c", RERUN, out], input=json.dumps(recorded), text=True, check=True, cwd=tmp_path)
    with np.load(out) as again:
        np.testing.assert_array_equal(again["observations"], np.asarray(episode.observations))
        np.testing.assert_array_equal(again["rewards"], episode.rewards)
        modules = again["modules"].tolist()
    assert all(name.startswith("skill_arcade.environments") for name in modules)
