"""Loads an export with Hugging Face `datasets`, runs the lines of its card, and makes batches if PyTorch is there."""

import functools
import importlib.util
import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import datasets
import numpy as np

from readers.compare import Expected, require, require_equal, run_reader


def check(group: str, export: Path, expected: Path) -> tuple[int, int]:
    os.chdir(export)
    expected = expected.absolute()
    with tempfile.TemporaryDirectory() as cache:
        folder = str(Path.cwd())
        facts = datasets.load_dataset(folder, "episodes", split="train", cache_dir=cache)
        found = datasets.load_dataset(folder, group, split="train", cache_dir=cache)
        require(isinstance(found.features["picture"], datasets.Image), "picture is no Image")
        run_card(folder)
        steps = check_rows(group, found, facts, expected)
        n_episodes = len(set(found["episode"]))
        if importlib.util.find_spec("torch"):
            check_batches(found)
        if importlib.util.find_spec("mlcroissant"):
            check_croissant(group, found)
    return n_episodes, steps


def check_rows(group: str, found: Any, facts: Any, expected: Path) -> int:
    seeds = {row["episode"]: row["seed"] for row in facts}
    numbers = np.array(found["episode"])
    n_steps = 0
    for number in sorted(set(numbers.tolist())):
        rows = found.select(np.flatnonzero(numbers == number))
        source = Expected(expected / f"{seeds[number]}.npz")
        n_steps += source.n_steps
        source.check_frames((np.asarray(row["picture"]) for row in rows), source.n_steps + 1)
        columns = rows.remove_columns("picture")[:]
        require_equal(columns["action"][:-1], source.actions, "actions")
        require_equal(np.array(columns["reward"][:-1], float), source.rewards, "rewards")
        require_equal(columns["terminated"][:-1], source.terminations, "terminated")
        require(columns["action"][-1] is None, "last action")
        require([json.loads(text) for text in columns["info"]] == source.values["infos"], "infos differ")
        shown = [np.nan if value is None else value for value in columns["shown_us"][:-1]]
        require_equal(np.array(shown, float), source.times["shown_us"], "shown_us")
        names = [name for name in columns if name.startswith("observation")]
        require(len(names) == len(source.leaves), f"{group} has the observations {names}")
        for name, array in zip(names, source.leaves.values(), strict=True):
            wanted = np.stack([array.real, array.imag], -1) if array.dtype.kind == "c" else array
            values = columns[name]
            found_array = values if array.dtype.kind in "UO" else np.array(values, wanted.dtype)
            require_equal(found_array, wanted, name)
    return n_steps


def check_batches(found: Any) -> None:
    import torch  # noqa: PLC0415  (not in every environment)

    columns = [name for name in found.column_names if name in ("action", "reward") or name.startswith("observation")]
    rows = found.filter(lambda row: row["action"] is not None).select_columns(columns).with_format("torch")
    batches = list(torch.utils.data.DataLoader(rows, batch_size=8))
    require(sum(len(batch["action"]) for batch in batches) == len(rows), "batches")


def check_croissant(group: str, found: Any) -> None:
    records = iter(read_croissant(str(Path.cwd())).records(record_set=group))
    first = next(records)
    require(first[f"{group}/action"] == found[0]["action"], "Croissant")


@functools.cache
def read_croissant(folder: str) -> Any:
    """Read and validate the metadata, which takes seconds if it describes 200 games."""
    import mlcroissant  # noqa: PLC0415  (not in every environment)

    return mlcroissant.Dataset(jsonld=f"{folder}/croissant.json")


@functools.cache
def run_card(folder: str) -> None:
    """Run the Python block of the card, as a reader would: in the folder, unchanged."""
    (code,) = re.findall(r"^```python\n(.*?)^```", Path(folder, "README.md").read_text(), re.MULTILINE | re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})


run_reader(check)
