"""Aggregate scores of groups, with intervals: interquartile mean, performance profile, probability of improvement.

The definitions are those of Agarwal et al. 2021 (https://arxiv.org/abs/2108.13264) and of its library rliable. Scores
are given by task, one score per person or run; the number of runs may differ between tasks. A person's episodes depend
on each other, so aggregate them to one score per person first: bootstrapping episodes gives too narrow intervals.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

DEFAULT_REPETITIONS = 2000
"""Draws of a bootstrap: its interval is then uncertain by about a twentieth of its width."""
DEFAULT_CONFIDENCE = 0.95
"""Share of such intervals that contain the true value."""

_Floats = NDArray[np.float64]
Statistic = Callable[[_Floats], float]
"""A function of the scores of all tasks together, shape (n,)."""


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval, in the scores' unit."""

    estimate: float
    low: float
    high: float


def interquartile_mean(scores: ArrayLike) -> float:
    """Return the mean of the middle half of the scores: a quarter, rounded down, is left out at each end."""
    values = np.sort(_as_scores(scores).ravel())
    n_cut = len(values) // 4
    return float(values[n_cut : len(values) - n_cut].mean())


def performance_profile(scores: ArrayLike, thresholds: ArrayLike) -> _Floats:
    """Return the share of scores above each threshold, shape (len(thresholds),)."""
    values = _as_scores(scores).ravel()
    return np.asarray((values[:, np.newaxis] > np.asarray(thresholds, dtype=np.float64)).mean(axis=0))


def probability_of_improvement(scores: Mapping[str, ArrayLike], others: Mapping[str, ArrayLike]) -> float:
    """Return the probability that a score is higher than one of the others in the same task, ties counted as half.

    It is the mean over the tasks of the Mann-Whitney U statistic, divided by the number of pairs.

    Raises:
        ValueError: the tasks differ.
    """
    if scores.keys() != others.keys():
        raise ValueError(f"expected the same tasks in both groups, not {sorted(scores)} and {sorted(others)}")
    shares = []
    for task, values in scores.items():
        differences = _as_scores(values)[:, np.newaxis] - _as_scores(others[task])[np.newaxis, :]
        shares.append((differences > 0).mean() + (differences == 0).mean() / 2)
    return float(np.mean(shares))


def bootstrap_interval(
    scores: Mapping[str, ArrayLike],
    statistic: Statistic = interquartile_mean,
    *,
    repetitions: int = DEFAULT_REPETITIONS,
    confidence: float = DEFAULT_CONFIDENCE,
    seed: int = 0,
) -> Interval:
    """Return a statistic of all scores with its percentile interval, by a bootstrap that is stratified by task.

    Each repetition draws as many scores of each task as it has, with replacement. Equal seeds give equal intervals.

    Raises:
        ValueError: there are no scores, or one is NaN or infinite.
    """
    tasks = [_as_scores(values) for values in scores.values()]
    if not tasks:
        raise ValueError("expected the scores of at least one task")
    rng = np.random.default_rng(seed)
    drawn = [
        statistic(np.concatenate([rng.choice(values, len(values)) for values in tasks])) for _ in range(repetitions)
    ]
    tail = 100 * (1 - confidence) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return Interval(statistic(np.concatenate(tasks)), float(low), float(high))


def _as_scores(scores: ArrayLike | Sequence[float]) -> _Floats:
    values = np.asarray(scores, dtype=np.float64)
    if values.size == 0:
        raise ValueError("expected at least one score")
    if not np.isfinite(values).all():
        raise ValueError("a score is NaN or infinite; leave such episodes out first, and say how many")
    return values
