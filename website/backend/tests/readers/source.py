"""Writes the source values of recorded episodes for the readers, which run without this package."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from skill_arcade.dataset import Episode
from skill_arcade.environments.factory import find_spec
from skill_arcade.export.reference import leaf_arrays
from tests.readers.compare import digest_frame


def write_sources(episodes: Iterable[Episode], folder: Path) -> None:
    """Write one file per episode, named like its seed, which every export has."""
    folder.mkdir(parents=True, exist_ok=True)
    first_actions: dict[str, int] = {}
    for episode in episodes:
        id_ = episode.environment["id"]
        if id_ not in first_actions:
            environment: Any = gymnasium.make(find_spec(id_), **episode.environment["kwargs"])
            first_actions[id_] = int(environment.action_space.start)
            environment.close()
        _write_source(episode, first_actions[id_], folder / f"{episode.seed}.npz")


def _write_source(episode: Episode, first_action: int, path: Path) -> None:
    arrays: Any = {}
    leaves = []
    for number, (keys, array) in enumerate(leaf_arrays(episode).items()):
        is_text = array.dtype.kind in "UOMSV"
        leaves.append({"path": keys, "texts": is_text})
        # Texts as JSON, because NumPy drops NUL at the end of a text.
        arrays[f"leaf:{number}"] = np.array([json.dumps(_to_text(value)) for value in array]) if is_text else array
    times = ("server_us", "late_us", "shown_us", "input_us", "input_received_us", "input_frame")
    values = {
        "frames": [digest_frame(frame) for frame in episode.frames],
        "leaves": leaves,
        "times": times,
        "first_action": first_action,
        "infos": [episode.stored_reset_info, *episode.stored_infos],
        "status": str(episode.status),
        "seed": episode.seed,
    }
    arrays |= {f"time:{name}": episode.times[name] for name in times}
    arrays |= {name: getattr(episode, name) for name in ("actions", "rewards", "terminations", "truncations")}
    np.savez(path, **arrays, values=np.array(json.dumps(values)))


def _to_text(value: Any) -> str:
    return value if isinstance(value, str) else str(value.tolist() if value.dtype.kind in "SV" else value)
