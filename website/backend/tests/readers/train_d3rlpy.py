"""Trains behavioural cloning of d3rlpy on an export in Minari, for a few steps: `train_d3rlpy EXPORT GROUP`."""

import os
import sys

os.environ["MINARI_DATASETS_PATH"] = sys.argv[1]

import d3rlpy

dataset, environment = d3rlpy.datasets.get_minari(f"skill-arcade/{sys.argv[2]}/human-v0")
cloning = d3rlpy.algos.DiscreteBCConfig(batch_size=16).create(device="cpu:0")
cloning.fit(dataset, n_steps=10, n_steps_per_epoch=10, logger_adapter=d3rlpy.logging.NoopAdapterFactory())
observation, _ = environment.reset(seed=1)
sys.stdout.write(f"action {int(cloning.predict(observation[None])[0])}\n")
