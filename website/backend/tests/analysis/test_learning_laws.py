"""Simulated learners with known laws are told right, where the noise allows it, and are undecided where it does not."""

import numpy as np
import pytest

from skill_arcade.analysis.learning_laws import MIN_SCORES, Law, fit_learning_laws
from tests.support.learners import simulate


# Shares told right by BIC in an independent simulation of 60 learners for each law. The binomial standard deviation of
# such a share is up to 0.06, and both sides have it: 0.12 are allowed.
@pytest.mark.parametrize(
    ("n", "shares"), [(50, (0.93, 0.90, 0.92, 1.0, 0.98)), (150, (0.98, 1.0, 1.0, 1.0, 1.0))], ids=["n50", "n150"]
)
def test_best_law_of_little_noise_is_the_simulated_one(n: int, shares: tuple[float, ...]) -> None:
    found = [np.mean([fit.best.law is law for fit in simulate(law, n, 0.1)]) for law in Law]
    assert all(share >= expected - 0.12 for share, expected in zip(found, shares, strict=True)), found


@pytest.mark.parametrize("law", [Law.exponential, Law.power, Law.delayed_exponential])
def test_verdict_of_smooth_law_in_as_much_noise_as_gain_is_undecided(law: Law) -> None:
    fits = simulate(law, 50, 1.0)
    assert np.mean([fit.verdict is None for fit in fits]) >= 0.9
    assert np.mean([fit.noise_to_gain > 0.25 for fit in fits]) >= 0.95


@pytest.mark.parametrize("law", list(Law))
def test_verdict_of_little_noise_is_hardly_ever_another_law(law: Law) -> None:
    fits = [fit for fit in simulate(law, 150, 0.1) if fit.verdict is not None]
    assert fits
    assert np.mean([fit.verdict is law for fit in fits]) >= 0.95


@pytest.mark.parametrize("law", [Law.exponential, Law.power, Law.delayed_exponential])
def test_fit_without_noise_finds_the_parameters(law: Law) -> None:
    x = np.arange(80, dtype=np.float64)
    curve = {
        Law.exponential: 100 - 40 * np.exp(-0.07 * x),
        Law.power: 100 - 40 * (x + 1) ** -0.6,
        Law.delayed_exponential: 100 - 40 * (np.exp(0.2 * 30) + 1) / (np.exp(0.2 * 30) + np.exp(0.2 * x)),
    }[law]
    expected = {
        Law.exponential: {"a": 100, "b": 40, "r": 0.07},
        Law.power: {"a": 100, "b": 40, "r": 0.6},
        Law.delayed_exponential: {"a": 100, "b": 40, "r": 0.2, "d": 30},
    }[law]
    fit = fit_learning_laws(curve).best
    assert fit.law is law
    assert fit.parameters == pytest.approx(expected, rel=0.01)


def test_fit_of_step_finds_its_place() -> None:
    fit = fit_learning_laws([3.0] * 12 + [9.0] * 18)
    assert (fit.verdict, fit.best.parameters) == (Law.step, {"a": 9.0, "b": 6.0, "c": 12.0})
    assert fit.noise_to_gain == 0


def test_fit_of_one_outlier_at_the_end_is_no_step() -> None:
    scores = [10.0, 11.0, 9.0] * 8
    assert fit_learning_laws([*scores, 60.0, *scores]).best.law is Law.flat
    assert fit_learning_laws([*scores, 60.0]).verdict is not Law.step


def test_fit_of_equal_scores_is_flat() -> None:
    fit = fit_learning_laws([21.0] * 30)
    assert fit.best.law is Law.flat
    assert fit.noise_to_gain == float("inf")


def test_fit_in_another_unit_gives_the_same_verdict() -> None:
    scores = 1 - np.exp(-0.1 * np.arange(60))
    scores += np.random.default_rng(4).normal(0, 0.05, 60)
    fits = [fit_learning_laws(scores), fit_learning_laws(1e6 * scores - 5e5), fit_learning_laws(-scores)]
    assert len({fit.candidates for fit in fits}) == 1
    assert [fit.noise_to_gain for fit in fits] == pytest.approx([fits[0].noise_to_gain] * 3)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([1.0] * (MIN_SCORES - 1), "at least 10 scores"),
        ([[1.0] * 20], "of shape"),
        ([1.0] * 20 + [float("nan")], "NaN or infinite"),
        ([1.0] * 20 + [float("inf")], "NaN or infinite"),
    ],
)
def test_fit_of_unusable_scores_is_refused(scores: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_learning_laws(scores)
