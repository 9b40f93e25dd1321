"""Behavioural cloning of CartPole from recorded play, in NumPy.

python examples/clone.py                     # of what this arcade recorded
python examples/clone.py --minari FOLDER     # of `skill-arcade export --format minari FOLDER`
python examples/clone.py --arcade http://localhost:8080    # and the clone plays on that arcade, recorded and marked
"""

import argparse
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

import skill_arcade.dataset as sa
from skill_arcade.client import ArcadeEnv

Weights = NDArray[np.float64]
DATASET = "skill-arcade/cart-pole/human-v0"


def read_arcade(dataset: sa.Dataset, **which: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the observations (n, 4) and the action that players took on each of them (n,)."""
    windows = sa.Windows(dataset.episodes(game="cart-pole", **which), align="applied")
    batches = list(windows.batches(64, seed=1))
    seen, done = ([batch[name][:, 0] for batch in batches] for name in ("observations", "actions"))
    return np.concatenate(seen), np.concatenate(done)


def read_minari(folder: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the same from an export. Nobody acted on the last of the T + 1 observations of an episode."""
    # Minari reads the variable at import, and looks for datasets in that folder.
    os.environ["MINARI_DATASETS_PATH"] = str(folder)
    import minari  # noqa: PLC0415

    # One episode at a time, because an episode of Minari contains all its pictures.
    play = [(e.observations[:-1], e.actions) for e in minari.load_dataset(DATASET).iterate_episodes()]
    return np.concatenate([seen for seen, _ in play]), np.concatenate([done for _, done in play])


def train_policy(seen: NDArray[Any], done: NDArray[Any], n_actions: int = 2, epochs: int = 30) -> Weights:
    """Fit a softmax regression from observations to actions. Returns weights (features + 1, actions)."""
    rng = np.random.default_rng(1)
    scale = np.append(seen.std(axis=0), 1.0)
    inputs, targets = add_one(seen) / scale, np.eye(n_actions)[done]
    weights: Weights = np.zeros((len(scale), n_actions))
    for _ in range(epochs):
        order = rng.permutation(len(inputs))
        for rows in np.array_split(order, max(1, len(order) // 64)):
            error = targets[rows] - softmax(inputs[rows] @ weights)
            weights += 0.5 * inputs[rows].T @ error / len(rows)
    unscaled: Weights = weights / scale[:, None]
    return unscaled


def play_episode(seed: int, weights: Weights | None, **kwargs: Any) -> float:
    """Play an episode of CartPole itself, and return its return."""
    environment = gymnasium.make("CartPole-v1", **kwargs)
    total = run_policy(environment, seed, weights)
    environment.close()
    return total


def play_on_arcade(url: str, weights: Weights, seeds: Iterable[int] = range(1, 6)) -> list[float]:
    """Play episodes on a running arcade, where they are recorded as those of a program. Returns their returns."""
    environment = ArcadeEnv(url, "cart-pole", name="clone", observations="environment")
    totals = [run_policy(environment, seed, weights) for seed in seeds]
    environment.close()
    return totals


def run_policy(environment: gymnasium.Env[Any, Any], seed: int, weights: Weights | None) -> float:
    """Run an episode, and return its return. `weights` None takes random actions."""
    environment.action_space.seed(seed)
    observation, _ = environment.reset(seed=seed)
    total, over = 0.0, False
    while not over:
        chosen = environment.action_space.sample() if weights is None else np.argmax(add_one(observation) @ weights)
        observation, reward, terminated, truncated, _ = environment.step(int(chosen))
        total, over = total + float(reward), terminated or truncated
    return total


def compare_policies(seen: NDArray[Any], done: NDArray[Any]) -> tuple[float, float]:
    """Compare the mean returns over 20 episodes of a policy cloned from this play and of a random policy."""
    weights = train_policy(seen, done)
    cloned, random = ([play_episode(seed, policy) for seed in range(1, 21)] for policy in (weights, None))
    return float(np.mean(cloned)), float(np.mean(random))


def add_one(observations: NDArray[Any]) -> NDArray[np.float64]:
    """Append a constant feature to each observation."""
    return np.concatenate([observations, np.ones((*observations.shape[:-1], 1))], axis=-1)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the softmax of each row."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    made: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return made


def main() -> None:
    """Read recorded play, train a policy, and compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minari", type=Path, metavar="FOLDER", help="an export, rather than this arcade")
    parser.add_argument("--arcade", metavar="URL", help="a running arcade on which the clone plays five episodes")
    options = parser.parse_args()
    folder = options.minari
    if folder is None:
        with sa.open() as dataset:
            play = read_arcade(dataset)
    else:
        play = read_minari(folder)
    cloned, random = compare_policies(*play)
    print(f"{len(play[1])} steps of play; cloned policy: {cloned:.1f} steps, random policy: {random:.1f} steps")  # noqa: T201
    if options.arcade is not None:
        totals = play_on_arcade(options.arcade, train_policy(*play))
        print(f"on {options.arcade}: {', '.join(f'{total:.0f}' for total in totals)} steps")  # noqa: T201


if __name__ == "__main__":
    main()
