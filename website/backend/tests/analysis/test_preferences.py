"""Fits of rewards recover the reward of simulated judges, who err, and say equal where clips hardly differ."""

import numpy as np
import pytest
from numpy.typing import NDArray

from skill_arcade.analysis.preferences import fit_bradley_terry, fit_linear_reward

N_PAIRS, N_CLIPS, N_FEATURES = 500, 30, 5
LAPSES = 0.1
"""Share of answers at random, as Christiano et al. 2017 assume."""
TIE_BAND = 0.3


def spearman(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the rank correlation; there are no ties."""
    ranks = np.array([np.argsort(np.argsort(values)) for values in (first, second)], np.float64)
    first_ranks, second_ranks = ranks - ranks.mean(axis=1, keepdims=True)
    return float(first_ranks @ second_ranks / (first_ranks @ first_ranks))


def judge(
    generator: np.random.Generator, first: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Simulate Boltzmann judges of clips with these rewards."""
    difference = first - second
    answers = (generator.random(len(difference)) < 1 / (1 + np.exp(-difference))).astype(np.float64)
    answers[np.abs(difference) < TIE_BAND] = 0.5
    lapses = generator.random(len(difference)) < LAPSES
    answers[lapses] = generator.integers(0, 2, lapses.sum())
    return answers


@pytest.mark.parametrize("seed", range(5))
def test_bradley_terry_recovers_simulated_rewards_from_500_pairs(seed: int) -> None:
    generator = np.random.default_rng(seed)
    rewards = 2 * generator.standard_normal(N_CLIPS)
    pairs = np.array([generator.choice(N_CLIPS, 2, replace=False) for _ in range(N_PAIRS)])
    answers = judge(generator, rewards[pairs[:, 0]], rewards[pairs[:, 1]])
    fitted = fit_bradley_terry(pairs, answers, N_CLIPS).parameters
    assert spearman(fitted, rewards) >= 0.9
    assert fitted.mean() == pytest.approx(0)


@pytest.mark.parametrize("seed", range(5))
def test_linear_reward_ranks_unseen_clips_from_500_pairs(seed: int) -> None:
    generator = np.random.default_rng(seed)
    weights = generator.standard_normal(N_FEATURES)
    first, second = generator.standard_normal((2, N_PAIRS, N_FEATURES))
    fitted = fit_linear_reward(first, second, judge(generator, first @ weights, second @ weights)).parameters
    unseen = generator.standard_normal((200, N_FEATURES))
    assert spearman(unseen @ fitted, unseen @ weights) >= 0.9


def test_two_items_have_the_log_odds_of_their_shares() -> None:
    pairs, answers = [[0, 1]] * 4, [1, 1, 1, 0]
    low, high = fit_bradley_terry(pairs, answers, 2, penalty=1e-9).parameters[::-1]
    assert high - low == pytest.approx(np.log(3), abs=1e-4)


def test_ties_pull_rewards_together() -> None:
    alone = fit_bradley_terry([[0, 1]] * 4, [1] * 4, 2).parameters
    tied = fit_bradley_terry([[0, 1]] * 4, [1, 1, 0.5, 0.5], 2).parameters
    assert 0 < tied[0] < alone[0]


def test_item_that_always_wins_has_a_finite_reward() -> None:
    fitted = fit_bradley_terry([[0, 1]] * 1000, [1] * 1000, 3)
    assert np.isfinite(fitted.parameters).all()
    assert fitted.parameters[0] > fitted.parameters[2] > fitted.parameters[1]
    assert fitted.log_likelihood < 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (([[0, 1, 2]], [1], 3), "shape"),
        (([[0, 3]], [1], 3), "indices"),
        (([[0, 1]], [1.5], 2), "preferences from 0"),
        (([[0, 1]], [1, 0], 2), "for each"),
        (([], [], 2), "shape"),
        (([[0, 1]], [1], 2, 0), "penalty"),
    ],
)
def test_wrong_arguments_are_refused(arguments: tuple, reason: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=reason):
        fit_bradley_terry(*arguments)
