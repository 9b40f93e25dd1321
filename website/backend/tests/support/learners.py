"""Simulated learners that follow a known law of practice, with normal noise."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from skill_arcade.analysis.learning_laws import Law, LearningFit, fit_learning_laws

N_LEARNERS = 60


def _exponential(x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    return np.asarray(1 - np.exp(-x * rng.uniform(3, 10) / len(x)))


def _power(x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    return np.asarray(1 - (x + 1.0) ** -rng.uniform(0.4, 1.2))


def _delayed_exponential(x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    rate, delay = rng.uniform(10, 25) / len(x), rng.uniform(0.2, 0.5) * len(x)
    return np.asarray(1 - (np.exp(rate * delay) + 1) / (np.exp(rate * delay) + np.exp(rate * x)))


def _step(x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    return np.asarray(x >= rng.integers(len(x) // 5, 4 * len(x) // 5), dtype=np.float64)


LEARNERS: dict[Law, Callable[[NDArray[np.float64], np.random.Generator], NDArray[np.float64]]] = {
    Law.flat: lambda x, rng: np.zeros(len(x)),
    Law.exponential: _exponential,
    Law.power: _power,
    Law.delayed_exponential: _delayed_exponential,
    Law.step: _step,
}


def simulate(law: Law, n: int, noise: float) -> list[LearningFit]:
    """Fit simulated learners, whose noise is the standard deviation over the gain."""
    rng = np.random.default_rng(20261129)
    x = np.arange(n, dtype=np.float64)
    return [fit_learning_laws(LEARNERS[law](x, rng) + rng.normal(0, noise, n)) for _ in range(N_LEARNERS)]
