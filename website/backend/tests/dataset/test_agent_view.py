"""Tests of the agent's view of recorded Atari frames."""

import hashlib
from typing import Any

import ale_py
import gymnasium
import numpy as np

import skill_arcade.dataset as sa

# SHA-256 of what AtariPreprocessing(noop_max=0) and FrameStackObservation of Gymnasium 1.4 return for this game, with
# OpenCV, which the tests do not have. tests/readers/read_agent_view.py compares five games with the wrappers.
BREAKOUT_DIGEST = "8aa1129d811180bda6b71be3381e045bbf75a63c078e4333d83e0b52d2b16214"


def play_breakout() -> list[Any]:
    """Return the frames of a game in which every action is repeated four times, until its end."""
    gymnasium.register_envs(ale_py)
    environment: Any = gymnasium.make("ALE/Breakout-v5", frameskip=1, repeat_action_probability=0.0)
    frames = [environment.reset(seed=3)[0]]
    for action in np.repeat(np.random.default_rng(3).integers(0, 4, 400), 4):
        frame, _, is_over, _, _ = environment.step(action)
        frames.append(frame)
        if is_over:
            break
    environment.close()
    return frames


def test_agent_view_equals_that_of_gymnasium_wrappers() -> None:
    view = sa.agent_view(play_breakout())
    assert view.shape == (140, 4, 84, 84)
    assert hashlib.sha256(view.tobytes()).hexdigest() == BREAKOUT_DIGEST


def test_agent_view_of_no_frames_is_empty() -> None:
    assert len(sa.agent_view([])) == 0
