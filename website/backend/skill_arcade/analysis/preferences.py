"""Rewards from comparisons of pairs: the model of Bradley and Terry, for each item or linear in features.

P(first is preferred) = 1 / (1 + exp(r(second) - r(first))): Bradley and Terry 1952, Rank Analysis of Incomplete Block
Designs (https://doi.org/10.2307/2334029). Christiano et al. 2017 (https://arxiv.org/abs/1706.03741) fit a reward of
clips by it. Rewards have no zero: only their differences count.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

DEFAULT_PENALTY = 0.1
"""Weight of the squared parameters: a normal prior with a standard deviation of about 3."""
MAX_ITERATIONS = 100
TOLERANCE = 1e-9
"""Largest change of a parameter in the last iteration."""

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RewardFit:
    """A fitted model. `parameters` are the rewards of the items, or the weights of the features.

    `log_likelihood` is that of the comparisons, without the penalty.
    """

    parameters: _Floats
    log_likelihood: float


def fit_bradley_terry(
    pairs: ArrayLike, preferences: ArrayLike, n_items: int, penalty: float = DEFAULT_PENALTY
) -> RewardFit:
    """Fit a reward for each item. Its mean is 0.

    Args:
        pairs: indices of the first and the second item of each comparison, shape (n, 2).
        preferences: 1 if the first was preferred, 0 if the second was, 0.5 if both are equal; shape (n,).
        n_items: number of items.
        penalty: weight of the squared rewards. It must be positive if an item won or lost all of its comparisons.

    Raises:
        ValueError: an argument has another shape or range.
    """
    indices = np.asarray(pairs, dtype=np.int64)
    if indices.ndim != 2 or indices.shape[1] != 2:
        raise ValueError(f"expected pairs of shape (n, 2), not {indices.shape}")
    if len(indices) and (indices.min() < 0 or indices.max() >= n_items):
        raise ValueError(f"expected indices from 0 to {n_items - 1}")
    design = np.zeros((len(indices), n_items))
    rows = np.arange(len(indices))
    np.add.at(design, (rows, indices[:, 0]), 1)
    np.add.at(design, (rows, indices[:, 1]), -1)
    fitted = _fit(design, preferences, penalty)
    return RewardFit(fitted.parameters - fitted.parameters.mean(), fitted.log_likelihood)


def fit_linear_reward(
    first: ArrayLike, second: ArrayLike, preferences: ArrayLike, penalty: float = DEFAULT_PENALTY
) -> RewardFit:
    """Fit a reward that is a weighted sum of features. Scale the features to similar ranges first.

    Args:
        first: features of the first clip of each comparison, shape (n, k).
        second: features of the second clip of each comparison, shape (n, k).
        preferences: 1 if the first was preferred, 0 if the second was, 0.5 if both are equal; shape (n,).
        penalty: weight of the squared weights.

    Raises:
        ValueError: an argument has another shape or range.
    """
    differences = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    if differences.ndim != 2:
        raise ValueError(f"expected features of shape (n, k), not {differences.shape}")
    return _fit(differences, preferences, penalty)


def _fit(design: _Floats, preferences: ArrayLike, penalty: float) -> RewardFit:
    """Maximise the penalised likelihood by Newton's method, with steps halved until the likelihood grows."""
    wins = np.asarray(preferences, dtype=np.float64)
    if wins.shape != (len(design),) or not len(design):
        raise ValueError(f"expected a preference for each of {len(design)} comparisons, and at least one")
    if not ((wins >= 0) & (wins <= 1)).all():
        raise ValueError("expected preferences from 0 (second) to 1 (first)")
    if penalty <= 0:
        raise ValueError("expected a positive penalty: without one the fit may have no finite maximum")
    parameters = np.zeros(design.shape[1])
    value = _objective(design, wins, parameters, penalty)
    for _ in range(MAX_ITERATIONS):
        probability = 1 / (1 + np.exp(-np.clip(design @ parameters, -50, 50)))
        gradient = design.T @ (wins - probability) - penalty * parameters
        weights = probability * (1 - probability)
        hessian = design.T @ (design * weights[:, np.newaxis]) + penalty * np.eye(len(parameters))
        step = np.linalg.solve(hessian, gradient)
        while (better := _objective(design, wins, parameters + step, penalty)) < value and np.abs(
            step
        ).max() > TOLERANCE:
            step = step / 2
        if better < value:
            break
        parameters, value = parameters + step, better
        if np.abs(step).max() < TOLERANCE:
            break
    return RewardFit(parameters, _log_likelihood(design, wins, parameters))


def _objective(design: _Floats, wins: _Floats, parameters: _Floats, penalty: float) -> float:
    return _log_likelihood(design, wins, parameters) - penalty / 2 * float(parameters @ parameters)


def _log_likelihood(design: _Floats, wins: _Floats, parameters: _Floats) -> float:
    margins = design @ parameters
    return float(-(wins * np.logaddexp(0, -margins) + (1 - wins) * np.logaddexp(0, margins)).sum())
