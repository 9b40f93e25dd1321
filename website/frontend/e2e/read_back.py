"""Reads back what a browser test played, and re-runs it: `read_back.py EPISODES`, JSON on standard output.

The arcade is the one of SKILL_ARCADE_HOME, and may still be running.
"""

import hashlib
import json
import sys
import time
from typing import Any

import numpy as np

from skill_arcade import dataset
from skill_arcade.certify.rerun import rerun_episode as certify
from skill_arcade.environments.factory import make_environment_from_spec

# Promised is 10 s while playing, at once after the end, which the benchmarks measure; a busy machine takes longer.
UPLOAD_TIMEOUT_SECONDS = 60.0


def main(wanted: int) -> None:
    """Print the episodes, oldest first, once so many have ended."""
    with dataset.open() as recordings:
        episodes = wait_for_episodes(recordings, wanted)
        sys.stdout.write(json.dumps([describe_episode(episode) for episode in reversed(episodes)]))


def wait_for_episodes(recordings: dataset.Dataset, wanted: int) -> list[dataset.Episode]:
    """All episodes, newest first, once `wanted` of them are kept to their end."""
    deadline = time.monotonic() + UPLOAD_TIMEOUT_SECONDS
    while True:
        episodes = list(recordings.episodes())
        if sum(episode.time_ended is not None for episode in episodes) >= wanted:
            return episodes
        if time.monotonic() > deadline:
            sys.exit(f"after {UPLOAD_TIMEOUT_SECONDS:g} s there is only {episodes}")
        time.sleep(0.1)


def describe_episode(episode: dataset.Episode) -> dict[str, Any]:
    """What is kept of it, and in how far a re-run differs."""
    return {
        "game": episode.game_id,
        "status": episode.status,
        "end_reason": episode.end_reason,
        "mode": episode.provenance["mode"],
        "score": episode.score,
        "actions": episode.actions.tolist(),
        "terminated": bool(episode.terminations[-1]),
        "n_frames": len(episode.frames),
        "n_shown": int(np.isfinite(episode.times["shown_us"]).sum()),
        "last_frame_sha256": hashlib.sha256(episode.frames[-1].tobytes()).hexdigest(),
        **rerun_episode(episode),
        "verdict": certify(episode).result,
    }


def rerun_episode(episode: dataset.Episode) -> dict[str, int]:
    """Play it again, without anything of the certifier's, and count what is not as it was kept."""
    stage = make_environment_from_spec(episode.environment)
    stage.reset(episode.seed)
    kept = iter(episode.frames)
    frames, rewards = int(not np.array_equal(next(kept), stage.picture().rgb())), 0
    for action, reward, frame in zip(episode.actions, episode.rewards, kept, strict=True):
        outcome = stage.step(int(action))
        rewards += int(outcome.reward != reward)
        frames += int(not np.array_equal(frame, stage.picture().rgb()))
    stage.close()
    return {"differing_frames": frames, "differing_rewards": rewards}


if __name__ == "__main__":
    main(int(sys.argv[1]))
