"""Loads judgements of pairs into the `PreferenceDataset` of the library imitation, to learn a reward from them.

python examples/load_preferences.py judged.parquet     # of `skill-arcade judgements export NAME judged.parquet --clips`

It needs imitation and pyarrow, and not this package. imitation pins an older Gymnasium, so give it an environment of
its own.
"""

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from imitation.algorithms.preference_comparisons import PreferenceDataset
from imitation.data.types import TrajectoryWithRew

PREFERENCES = {"first": 1.0, "equal": 0.5, "second": 0.0}


def load_preferences(path: str | Path, leaf: str = "observation") -> PreferenceDataset:
    """Return the valid answers with a preference, repeats and gold pairs too.

    Args:
        path: file of the judgements; that of the clips is beside it.
        leaf: array of the observations, for environments whose observations have several.
    """
    path = Path(path)
    clips = pq.read_table(path.with_name(f"{path.stem}-clips{path.suffix}")).to_pylist()
    fragments = {(clip["item"], clip["side"]): read_fragment(clip, leaf) for clip in clips}
    rows = pq.read_table(path).to_pylist()
    rows = [row for row in rows if row["preferred"] is not None and row["time_retracted"] is None]
    dataset = PreferenceDataset()
    if rows:
        pairs = [(fragments[row["item"], "first"], fragments[row["item"], "second"]) for row in rows]
        dataset.push(pairs, np.array([PREFERENCES[row["preferred"]] for row in rows], np.float32))
    return dataset


def read_fragment(clip: dict[str, Any], leaf: str) -> TrajectoryWithRew:
    """Return a clip of T + 1 frames as a fragment of T steps."""
    observations = np.load(io.BytesIO(clip["observations"]))[leaf]
    rewards = np.array(clip["rewards"], np.float64)
    return TrajectoryWithRew(observations, np.array(clip["actions"]), None, clip["terminal"], rewards)


if __name__ == "__main__":
    loaded = load_preferences(sys.argv[1])
    sys.stdout.write(f"{len(loaded)} preferences\n")
