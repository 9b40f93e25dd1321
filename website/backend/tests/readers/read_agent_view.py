"""Compares the agent's view of recorded frames with Gymnasium's wrappers: `read_agent_view`, no arguments.

It plays games with and without the wrappers, with the same seed and actions, so it needs no export.
"""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import ale_py
import gymnasium
import numpy as np
from gymnasium.wrappers import AtariPreprocessing, FrameStackObservation

PATH = Path(__file__).parents[2] / "skill_arcade" / "dataset" / "agent_view.py"
spec = importlib.util.spec_from_file_location("agent_view", PATH)
assert spec is not None
assert spec.loader is not None
module: Any = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
gymnasium.register_envs(ale_py)


def make(game: str) -> Any:
    return gymnasium.make(f"ALE/{game}-v5", frameskip=1, repeat_action_probability=0.0)


def check(game: str, n_steps: int, seed: int) -> int:
    wrapped = FrameStackObservation(AtariPreprocessing(make(game), noop_max=0), 4)
    plain = make(game)
    actions = np.random.default_rng(seed).integers(0, plain.action_space.n, n_steps)
    expected, frames = [wrapped.reset(seed=seed)[0]], [plain.reset(seed=seed)[0]]
    for action in actions:
        view, _, ended, _, _ = wrapped.step(action)
        expected.append(view)
        for _ in range(4):
            frame, _, over, _, _ = plain.step(action)
            frames.append(frame)
            if over:
                break
        if ended:
            break
    found = module.agent_view(frames)
    if not np.array_equal(found, np.array(expected)):
        different = (found[: len(expected)] != np.array(expected)[: len(found)]).sum()
        raise AssertionError(f"{game}: {found.shape} {np.shape(expected)}, {different} different values")
    return len(expected)


if __name__ == "__main__":
    for name, steps in (("Breakout", 600), ("MsPacman", 300), ("Pong", 300), ("Seaquest", 900), ("Freeway", 100)):
        sys.stdout.write(f"{name}: {check(name, steps, 3)} views are equal\n")
