"""Loads an export with Minari."""

import json
import os
from pathlib import Path
from typing import Any

import minari
import numpy as np

from readers.compare import Expected, require, require_equal, run_reader


def find_leaf(observations: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        observations = observations[int(key) if isinstance(observations, tuple) else key]
    return observations


def check(group: str, export: Path, expected: Path) -> tuple[int, int]:
    os.environ["MINARI_DATASETS_PATH"] = str(export)
    dataset = minari.load_dataset(f"skill-arcade/{group}/human-v0")
    all_metadata = list(dataset.storage.get_episode_metadata(range(dataset.total_episodes)))
    steps = 0
    for episode, metadata in zip(dataset.iterate_episodes(), all_metadata, strict=True):
        source = Expected(expected / f"{metadata['seed']}.npz")
        require_equal(episode.actions, source.env_actions, "actions")
        require_equal(episode.rewards, source.rewards, "rewards")
        require_equal(episode.terminations, source.terminations, "terminations")
        require_equal(episode.truncations, source.truncations, "truncations")
        require_equal(episode.infos["shown_us"][:-1, 0], source.times["shown_us"], "shown_us")
        require([json.loads(text) for text in episode.infos["info_json"]] == source.values["infos"], "infos differ")
        if "vector" in source.values["infos"][-1]:
            vectors = [info.get("vector") for info in source.values["infos"][1:]]
            require_equal(episode.infos["vector"][1:], np.array(vectors, float), "vector")
        if source.leaves:
            source.check_frames(episode.infos["picture"], source.n_steps + 1)
        else:
            source.check_frames(episode.observations, source.n_steps + 1)
        is_nested = isinstance(episode.observations, dict | tuple)
        for path, array in source.leaves.items():
            found, wanted = find_leaf(episode.observations, path if is_nested else ()), array
            if array.dtype.kind == "c":
                wanted = np.stack([array.real, array.imag], -1)
            require_equal(found, wanted, f"observation {path}", dtype=array.dtype.kind not in "bUO")
        if not is_nested:
            in_space = [dataset.observation_space.contains(one) for one in episode.observations]
            require(all(in_space), "observation outside of the space")
        require(all(dataset.action_space.contains(action) for action in episode.actions), "action outside of the space")
        steps += len(episode)
    require(steps == dataset.total_steps, "total_steps differs")
    sampled = list(dataset.sample_episodes(min(2, dataset.total_episodes)))
    require(len(sampled) == min(2, dataset.total_episodes), "sampler")
    return dataset.total_episodes, steps


run_reader(check)
