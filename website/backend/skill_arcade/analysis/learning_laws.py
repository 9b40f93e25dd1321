"""Which law one person's scores follow: no change, exponential, power, delayed exponential, or one step.

Laws are fitted to single persons, never to an average: the mean of people who each learn exponentially, at rates that
differ much, follows a power law (Murre & Chessa 2011, https://doi.org/10.3758/s13423-011-0151-5).

The laws are those of Heathcote, Brown & Mewhort 2000 (https://doi.org/10.3758/BF03212979), with the delayed exponential
of Evans, Brown, Mewhort & Heathcote 2018 (https://doi.org/10.1037/rev0000105). With x = 0 at the first score:

* flat: `a`
* exponential: `a - b exp(-r x)`
* power: `a - b (x + 1)^-r`
* delayed exponential: `a - b (t + 1) / (t + exp(r x))`, with `t = exp(r d)`; learning is slow until about x = d
* step: `a - b` before x = c, `a` from then on

Each is linear in `a` and `b`. Those are computed exactly for each of many shapes (variable projection, Golub & Pereyra
1973), and the shape with the least squared residuals is refined, so that a fit has no starting values and no chance.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

MIN_SCORES = 10
"""Scores below which nothing is fitted: the delayed exponential has four parameters."""
MIN_STEP_SCORES = 3
"""Scores on each side of a step at least, so that one odd score at an end is no step."""
MIN_BIC_DIFFERENCE = 6.0
"""BIC difference from which a law is preferred; "strong evidence" by Raftery 1995 (https://doi.org/10.2307/271063)."""

_N_GRID = 24
"""Points of the first grid for each parameter."""
_N_REFINED = 10
"""Points of each narrower grid. Five of them leave an error of 3e-4 of a step of the first one."""
_N_REFINEMENTS = 5
_MIN_VARIANCE = 1e-12
"""Least residual variance, relative to the variance of the scores, so that a perfect fit has a finite BIC."""

_Floats: TypeAlias = NDArray[np.float64]


class Law(StrEnum):
    """A law of practice."""

    flat = "flat"
    exponential = "exponential"
    power = "power"
    delayed_exponential = "delayed exponential"
    step = "step"


@dataclass(frozen=True)
class LawFit:
    """A law, fitted by least squares.

    * `parameters`: `a` and `b` in the scores' unit, `r` per score (`power`: an exponent), `d` and `c` in scores.
    * `bic`: Bayesian information criterion, for normal residuals of one variance; the least is best.
    * `predicted`: the law's value for each score, shape (n,).
    """

    law: Law
    parameters: dict[str, float]
    bic: float
    predicted: _Floats


@dataclass(frozen=True)
class LearningFit:
    """All laws for one person's scores, the best first."""

    fits: tuple[LawFit, ...]
    noise_to_gain: float
    """Standard deviation of the best law's residuals, divided by its change from the first score to the last.

    Infinite if the best law is flat. Above about 0.25, no smooth law can be told from another.
    """

    @property
    def best(self) -> LawFit:
        """The law with the least BIC, whether or not others are close."""
        return self.fits[0]

    @property
    def candidates(self) -> tuple[Law, ...]:
        """Laws whose BIC is less than `MIN_BIC_DIFFERENCE` above the best, the best first."""
        return tuple(fit.law for fit in self.fits if fit.bic - self.best.bic < MIN_BIC_DIFFERENCE)

    @property
    def verdict(self) -> Law | None:
        """The law, or None if it is undecided because there is more than one candidate.

        An exponential is a delayed exponential without delay, so the two are told apart from about
        exp(`MIN_BIC_DIFFERENCE`) = 403 scores on only, if the exponential is true.
        """
        return self.best.law if len(self.candidates) == 1 else None


def fit_learning_laws(scores: ArrayLike) -> LearningFit:
    """Fit all laws to one person's scores, one score per episode, in the order of play.

    Raises:
        ValueError: there are fewer than `MIN_SCORES` scores, or one is NaN or infinite.
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or len(values) < MIN_SCORES:
        raise ValueError(f"expected one list of at least {MIN_SCORES} scores, not an array of shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("a score is NaN or infinite; leave such episodes out first, and say how many")
    fits = [_fit_flat(values), _fit_step(values)]
    fits += [_fit_shape(values, law, shape, ranges) for law, shape, ranges in _smooth_laws(len(values))]
    fits.sort(key=lambda fit: fit.bic)
    best = fits[0]
    gain = abs(float(best.predicted[-1] - best.predicted[0]))
    noise = float(np.std(values - best.predicted))
    return LearningFit(tuple(fits), noise / gain if gain > 0 else float("inf"))


_Shape: TypeAlias = Callable[[_Floats, _Floats], _Floats]
"""Values of the term that `-b` multiplies: parameters of shape (k, 1, p) and x of shape (n,) to (k, n)."""
_Ranges: TypeAlias = tuple[tuple[float, float], ...]


def _smooth_laws(n: int) -> list[tuple[Law, _Shape, _Ranges]]:
    """Return the laws with their shapes, and the range of each parameter of the shape.

    The rates reach from one time constant in ten times the series to five in one score.
    """
    rates = (0.1 / n, 5.0)
    return [
        (Law.exponential, _exponential, (rates,)),
        (Law.power, _power, ((0.01, 5.0),)),
        (Law.delayed_exponential, _delayed_exponential, (rates, (0.5, float(n)))),
    ]


_PARAMETER_NAMES = {Law.exponential: ("r",), Law.power: ("r",), Law.delayed_exponential: ("r", "d")}


def _exponential(parameters: _Floats, x: _Floats) -> _Floats:
    return np.asarray(np.exp(-parameters[..., 0] * x))


def _power(parameters: _Floats, x: _Floats) -> _Floats:
    return np.asarray((x + 1.0) ** -parameters[..., 0])


def _delayed_exponential(parameters: _Floats, x: _Floats) -> _Floats:
    rate, delay = parameters[..., 0], parameters[..., 1]
    # (t + 1) / (t + exp(r x)), with both divided by t, so that nothing overflows before it is clipped.
    return np.asarray((1.0 + np.exp(-rate * delay)) / (1.0 + np.exp(np.minimum(rate * (x - delay), 700.0))))


def _fit_flat(values: _Floats) -> LawFit:
    predicted = np.full(len(values), values.mean())
    return LawFit(Law.flat, {"a": float(values.mean())}, _bic(values, predicted, 1), predicted)


def _fit_step(values: _Floats) -> LawFit:
    """Try every place of the step. Its place counts as a parameter."""
    n = len(values)
    places = np.arange(MIN_STEP_SCORES, n - MIN_STEP_SCORES + 1)
    sums = np.cumsum(values)[places - 1]
    before, after = sums / places, (values.sum() - sums) / (n - places)
    best = int(np.argmax(places * before**2 + (n - places) * after**2))
    place, low, high = int(places[best]), float(before[best]), float(after[best])
    predicted = np.where(np.arange(n) < place, low, high)
    return LawFit(Law.step, {"a": high, "b": high - low, "c": float(place)}, _bic(values, predicted, 3), predicted)


def _fit_shape(values: _Floats, law: Law, shape: _Shape, ranges: _Ranges) -> LawFit:
    """Search the shape's parameters on a grid of logarithms, which is narrowed around its best point."""
    x = np.arange(len(values), dtype=np.float64)
    lows, highs = (np.log(np.array(side)) for side in zip(*ranges, strict=True))
    for n_points in (_N_GRID, *[_N_REFINED] * _N_REFINEMENTS):
        axes = [np.linspace(low, high, n_points) for low, high in zip(lows, highs, strict=True)]
        logarithms = np.array(list(product(*axes)))
        terms = shape(np.exp(logarithms)[:, np.newaxis, :], x)
        point = logarithms[np.argmin(_residuals(values, terms))]
        steps = (highs - lows) / (n_points - 1)
        lows, highs = np.maximum(lows, point - steps), np.minimum(highs, point + steps)
    term = shape(np.exp(point)[np.newaxis, np.newaxis, :], x)[0]
    negative_gain, asymptote = np.polynomial.polynomial.polyfit(term, values, 1)[::-1]
    predicted = asymptote + negative_gain * term
    parameters = {"a": float(asymptote), "b": -float(negative_gain)}
    parameters |= dict(zip(_PARAMETER_NAMES[law], np.exp(point).tolist(), strict=True))
    return LawFit(law, parameters, _bic(values, predicted, len(parameters)), predicted)


def _residuals(values: _Floats, terms: _Floats) -> _Floats:
    """Return the sum of squared residuals of the line through (term, value), for each row of terms, shape (k,)."""
    y = values - values.mean()
    centred = terms - terms.mean(axis=1, keepdims=True)
    variance = np.einsum("kn,kn->k", centred, centred)
    explained = np.divide((centred @ y) ** 2, variance, out=np.zeros_like(variance), where=variance > _MIN_VARIANCE)
    return np.asarray((y**2).sum() - explained)


def _bic(values: _Floats, predicted: _Floats, n_parameters: int) -> float:
    """Return n ln(RSS / n) + k ln n. The variance of the residuals is a parameter of every law and is left out."""
    n = len(values)
    least = max(float(np.var(values)) * _MIN_VARIANCE, np.finfo(np.float64).tiny)
    return float(n * np.log(max(float(((values - predicted) ** 2).mean()), least)) + n_parameters * np.log(n))
