"""Loads judgements with `examples/load_preferences.py` and compares each with the source: `read_preferences FOLDER`.

Then imitation learns a reward from them for one epoch, and the dataset is saved and loaded again. It runs in an
environment with imitation and without this package, in the folder `tests`.
"""

import json
import sys
import tempfile
from pathlib import Path

import gymnasium
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
from imitation.algorithms.preference_comparisons import (
    BasicRewardTrainer,
    CrossEntropyRewardLoss,
    PreferenceDataset,
    PreferenceModel,
)
from imitation.rewards.reward_nets import BasicRewardNet
from load_preferences import load_preferences

folder = Path(sys.argv[1])
expected = json.loads((folder / "expected.json").read_text())
dataset = load_preferences(folder / "judged.parquet")
assert len(dataset) == len(expected) > 0
for index, source in enumerate(expected):
    (first, second), preference = dataset[index]
    assert float(preference) == source["preference"]
    for fragment, clip in ((first, source["first"]), (second, source["second"])):
        np.testing.assert_array_equal(fragment.obs, np.array(clip["observations"]))
        np.testing.assert_array_equal(fragment.acts, np.array(clip["actions"]))
        np.testing.assert_array_equal(fragment.rews, np.array(clip["rewards"]))
        assert fragment.terminal == clip["terminal"]
        assert len(fragment.obs) == len(fragment.acts) + 1
with tempfile.TemporaryDirectory() as saved:
    dataset.save(Path(saved) / "preferences.pkl")
    assert len(PreferenceDataset.load(Path(saved) / "preferences.pkl")) == len(dataset)
space = gymnasium.spaces.Box(-np.inf, np.inf, dataset[0][0][0].obs.shape[1:], np.float32)
network = BasicRewardNet(space, gymnasium.spaces.Discrete(3))
trainer = BasicRewardTrainer(
    PreferenceModel(network), CrossEntropyRewardLoss(), rng=np.random.default_rng(0), batch_size=2, epochs=1
)
trainer.train(dataset)
sys.stdout.write(f"{len(dataset)} preferences right, and a reward learned from them\n")
