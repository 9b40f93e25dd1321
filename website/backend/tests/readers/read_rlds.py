"""Loads an export with TensorFlow Datasets."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from readers.compare import Expected, require, require_equal, run_reader


def check(group: str, export: Path, expected: Path) -> tuple[int, int]:
    builder = tfds.builder_from_directory(str(export / group / "1.0.0"))
    n_episodes = n_steps = 0
    for episode in builder.as_dataset(split="train"):
        facts = json.loads(
            episode["episode_metadata"]["facts"].numpy(), parse_constant=lambda name: require(False, name)
        )
        source = Expected(expected / f"{facts['seed']}.npz")
        steps = list(tfds.as_numpy(episode["steps"]))
        require(len(steps) == source.n_steps + 1, "number of steps")
        require_equal([step["action"] for step in steps[:-1]], source.actions, "actions")
        require_equal([step["reward_float64"] for step in steps[:-1]], source.rewards, "rewards")
        source.check_frames((step["observation"]["picture"] for step in steps), source.n_steps + 1)
        require([json.loads(step["info"]) for step in steps] == source.values["infos"], "infos differ")
        names = [name for name in builder.info.features["steps"].feature["observation"] if name != "picture"]
        leaves: dict[str, Any] = {}
        for path, array in source.leaves.items():
            name = ".".join(path) or "state"
            while name in {"picture", *leaves}:
                name += "_"
            leaves[name] = array
        require(set(names) == set(leaves), f"observations {names}")
        for name, wanted in leaves.items():
            found: Any = [step["observation"][name] for step in steps]
            if wanted.dtype.kind in "UO":
                found = [
                    str(one) if str(one) == text else one.decode() for one, text in zip(found, wanted, strict=True)
                ]
            require_equal(found if wanted.dtype.kind in "UO" else np.stack(found), wanted, name)
        n_episodes, n_steps = n_episodes + 1, n_steps + source.n_steps
    pipeline = builder.as_dataset(split="train").flat_map(lambda one: one["steps"]).batch(8).take(2)
    require(len(list(tfds.as_numpy(pipeline))) > 0, "pipeline")
    return n_episodes, n_steps


run_reader(check)
