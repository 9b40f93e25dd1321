"""Loads an export with LeRobot, and makes batches, time windows and the edits of its tools."""

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import torch
from lerobot.datasets.dataset_tools import delete_episodes, merge_datasets, split_dataset
from lerobot.datasets.lerobot_dataset import LeRobotDataset

from readers.compare import Expected, require, require_equal, run_reader

IMAGE = "observation.images.screen"


def load(group: str, root: Path, **options: Any) -> Any:
    return LeRobotDataset(f"skill-arcade/{group}", root=root, **options)


def check(group: str, export: Path, expected: Path) -> tuple[int, int]:
    root = export / group
    json.loads((root / "meta/stats.json").read_text(), parse_constant=lambda name: require(False, f"stats have {name}"))
    dataset = load(group, root)
    facts = pd.read_parquet(root / "meta/facts.parquet")
    index = 0
    for number, seed in enumerate(facts["seed"]):
        source = Expected(expected / f"{seed}.npz")
        items = [dataset[index + step] for step in range(source.n_steps)]
        index += source.n_steps
        frames = [(item[IMAGE] * 255).round().to(torch.uint8).numpy().transpose(1, 2, 0) for item in items]
        source.check_frames(frames, source.n_steps)
        actions = [int(item["discrete_action"]) for item in items]
        require_equal(actions, source.env_actions, "actions")
        if "vector" in source.values["infos"][-1] and items[0]["action"].numel() == 2:
            require_equal(
                [item["action"].numpy() for item in items],
                np.array([info["vector"] for info in source.values["infos"][1:]], np.float32),
                "vector",
            )
        else:
            require_equal([int(item["action"].argmax()) for item in items], source.actions, "one-hot")
        rewards = [float(item["next.reward"]) for item in items]
        require_equal(np.array(rewards, np.float32), source.rewards.astype(np.float32), "rewards")
        require(all(int(item["episode_index"]) == number for item in items), "episode_index")
        texts = [array[0] for array in source.leaves.values() if array.dtype.kind == "O"]
        require(items[0]["task"] in (texts or [items[0]["task"]]), "task")
    rewards_stored = np.concatenate(
        [pq.read_table(file)["next.reward"].to_numpy() for file in sorted((root / "data").rglob("*.parquet"))]
    )
    sources = [Expected(expected / f"{seed}.npz").rewards for seed in facts["seed"]]
    require_equal(rewards_stored, np.concatenate(sources), "stored rewards")
    batches = list(torch.utils.data.DataLoader(dataset, batch_size=8))
    require(sum(len(batch["index"]) for batch in batches) == index, "batches")
    fps = dataset.fps
    windows = {"action": [0, 1 / fps, 2 / fps], IMAGE: [-1 / fps, 0]}
    if "observation.state" in dataset.features:
        windows["observation.state"] = [-1 / fps, 0]
    window = next(iter(torch.utils.data.DataLoader(load(group, root, delta_timestamps=windows), batch_size=4)))
    require(window["action"].shape[1] == 3 and window[IMAGE].shape[1] == 2, "windows")
    if len(facts) > 1:
        with tempfile.TemporaryDirectory() as folder:
            edit(dataset, Path(folder))
    return len(facts), index


def edit(dataset: Any, folder: Path) -> None:
    n_episodes, n_frames = dataset.meta.total_episodes, dataset.meta.total_frames
    fewer = delete_episodes(dataset, [0], output_dir=folder / "fewer", repo_id="skill-arcade/fewer")
    require(fewer.meta.total_episodes == n_episodes - 1, "delete_episodes")
    parts = split_dataset(dataset, {"a": [0], "b": list(range(1, n_episodes))}, output_dir=folder / "split")
    require(parts["a"].meta.total_episodes == 1, "split_dataset")
    merged = merge_datasets([parts["a"], parts["b"]], "skill-arcade/merged", output_dir=folder / "merged")
    require(merged.meta.total_frames == n_frames, "merge_datasets")
    require(torch.equal(merged[0]["action"], dataset[0]["action"]), "merged action")
    shutil.rmtree(folder / "merged")


run_reader(check)
