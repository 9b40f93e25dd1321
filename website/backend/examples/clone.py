"""Behavioural cloning of CartPole from recorded play, in NumPy: `uv run python examples/clone.py`."""

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

import skill_arcade.dataset as sa

Weights = NDArray[np.float64]


def train_policy(windows: sa.Windows, n_actions: int = 2, epochs: int = 30) -> Weights:
    """Softmax regression from an observation to the action that people took on it: weights (features + 1, actions)."""
    seen = np.concatenate([np.asarray(episode.observations) for episode in windows.episodes])
    scale = np.append(seen.std(axis=0), 1.0)
    weights: Weights = np.zeros((len(scale), n_actions))
    for epoch in range(epochs):
        for batch in windows.batches(64, seed=epoch):
            x = add_one(batch["observations"][:, 0]) / scale
            y = np.eye(n_actions)[batch["actions"][:, 0]]
            weights += 0.5 * x.T @ (y - softmax(x @ weights)) / len(x)
    return weights / scale[:, None]


def play_episode(seed: int, weights: Weights | None, **kwargs: Any) -> float:
    """Return of an episode by the policy; None: by a random one."""
    environment = gymnasium.make("CartPole-v1", **kwargs)
    environment.action_space.seed(seed)
    observation, _ = environment.reset(seed=seed)
    total, over = 0.0, False
    while not over:
        chosen = environment.action_space.sample() if weights is None else np.argmax(add_one(observation) @ weights)
        observation, reward, terminated, truncated, _ = environment.step(int(chosen))
        total, over = total + float(reward), terminated or truncated
    environment.close()
    return total


def compare_policies(dataset: sa.Dataset, **which: Any) -> tuple[float, float]:
    """Mean returns over twenty episodes of a policy cloned from these episodes, and of a random one."""
    windows = sa.Windows(dataset.episodes(game="cart-pole", **which), align="applied")
    weights = train_policy(windows)
    cloned, random = ([play_episode(seed, policy) for seed in range(1, 21)] for policy in (weights, None))
    return float(np.mean(cloned)), float(np.mean(random))


def add_one(observations: NDArray[Any]) -> NDArray[np.float64]:
    """Append a constant feature to each observation."""
    return np.concatenate([observations, np.ones((*observations.shape[:-1], 1))], axis=-1)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities, by row."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    made: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return made


if __name__ == "__main__":
    with sa.open() as dataset:
        cloned, random = compare_policies(dataset)
    print(f"cloned policy: {cloned:.1f} steps, random policy: {random:.1f} steps")  # noqa: T201 - an example talks
