"""Aggregates agree with the library rliable, whose results are recorded here."""

from collections.abc import Callable

import numpy as np
import pytest

from skill_arcade.analysis.aggregates import (
    bootstrap_interval,
    interquartile_mean,
    performance_profile,
    probability_of_improvement,
)

X = {
    "one": [0.83, 1.05, 1.94, 0.9, 0.32, 1.62, 1.97],
    "two": [1.37, 2.04, 1.56, 1.59, 0.69, 0.65, 3.68],
    "three": [3.61, 0.71, 0.98, 2.25, 0.49, 0.62, 0.19],
}
Y = {
    "one": [0.83, 2.59, 3.46, 0.8, 2.07, 2.49, 0.56, 0.44, 0.87],
    "two": [1.37, 2.25, 5.75, 3.27, 1.18, 0.44, 1.82, 1.33, 0.19],
    "three": [3.61, 1.02, 2.41, 1.54, 1.44, 2.6, 0.4, 1.28, 1.0],
}
# What rliable 1.2.0 (with arch 7.2.0, SciPy 1.17.1) returns for these scores; the interval with 50,000 repetitions.
RLIABLE_IQM = 1.2036363636363636
RLIABLE_INTERVAL = (0.8454545454545456, 1.6481818181818182)
RLIABLE_PROFILE = [1.0, 0.8571428571428571, 0.5238095238095238, 0.19047619047619047, 0.0]
RLIABLE_IMPROVEMENT = 0.4206349206349207
THRESHOLDS = [0.0, 0.5, 1.0, 2.0, 4.0]


def test_aggregates_equal_rliable() -> None:
    scores = np.array(list(X.values()))
    assert interquartile_mean(scores) == pytest.approx(RLIABLE_IQM)
    assert performance_profile(scores, THRESHOLDS) == pytest.approx(RLIABLE_PROFILE)
    assert probability_of_improvement(X, Y) == pytest.approx(RLIABLE_IMPROVEMENT)


def test_bootstrap_interval_equals_rliable_within_its_chance() -> None:
    found = bootstrap_interval(X, repetitions=20_000)
    assert found.estimate == pytest.approx(RLIABLE_IQM)
    assert (found.low, found.high) == pytest.approx(RLIABLE_INTERVAL, abs=0.02)
    assert bootstrap_interval(X) == bootstrap_interval(X)


def test_probability_of_improvement_of_equal_groups_is_half() -> None:
    assert probability_of_improvement(X, X) == 0.5


@pytest.mark.parametrize(
    "aggregate",
    [
        lambda: interquartile_mean([]),
        lambda: interquartile_mean([1.0, float("nan")]),
        lambda: bootstrap_interval({}),
        lambda: bootstrap_interval({"one": []}),
        lambda: probability_of_improvement(X, {"one": [1.0]}),
    ],
)
def test_aggregate_of_unusable_scores_is_refused(aggregate: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"score|tasks"):
        aggregate()
