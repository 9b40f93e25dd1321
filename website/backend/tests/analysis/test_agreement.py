"""Krippendorff's alpha is that of the published examples, and of its definition."""

import math
from itertools import product

import numpy as np
import pytest

from skill_arcade.analysis.agreement import Level, krippendorff_alpha

# Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, example C: four observers, twelve units, 0: missing.
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3),
    (0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0),
)
UNITS = [[value for value in unit if value] for unit in zip(*OBSERVERS, strict=True)]


@pytest.mark.parametrize(("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_of_published_example_is_the_published_value(level: Level, published: float) -> None:
    assert krippendorff_alpha(UNITS, level) == pytest.approx(published, abs=0.0005)


def test_alpha_of_two_observers_is_that_of_example_a() -> None:
    # Example A of the same text: two observers, ten units, two values.
    first, second = (0, 1, 0, 0, 0, 0, 0, 0, 1, 0), (1, 1, 1, 0, 0, 1, 0, 0, 0, 0)
    assert krippendorff_alpha(zip(first, second, strict=True)) == pytest.approx(0.095, abs=0.0005)


def test_alpha_follows_the_definition_by_pairs() -> None:
    generator = np.random.default_rng(5)
    units = [generator.integers(1, 5, generator.integers(1, 5)).tolist() for _ in range(40)]
    shared = [unit for unit in units if len(unit) > 1]
    observed = expected = 0.0
    everything = [value for unit in shared for value in unit]
    for unit in shared:
        pairs = [(a, b) for (i, a), (j, b) in product(enumerate(unit), repeat=2) if i != j]
        observed += sum((a - b) ** 2 for a, b in pairs) / (len(unit) - 1)
    for (i, a), (j, b) in product(enumerate(everything), repeat=2):
        expected += (a - b) ** 2 * (i != j)
    n = len(everything)
    assert krippendorff_alpha(units, "interval") == pytest.approx(1 - (observed / n) / (expected / (n * (n - 1))))


def test_alpha_of_full_agreement_is_one_and_of_chance_about_zero() -> None:
    assert krippendorff_alpha([["left", "left"], ["right", "right"]]) == 1
    generator = np.random.default_rng(1)
    by_chance = generator.integers(0, 3, (4000, 3)).tolist()
    assert abs(krippendorff_alpha(by_chance)) < 0.03


@pytest.mark.parametrize("units", [[], [["left"], ["right"]], [["left", "left"]] * 3])
def test_alpha_without_shared_units_or_with_one_value_is_undefined(units: list[list[str]]) -> None:
    assert math.isnan(krippendorff_alpha(units))


def test_alpha_of_words_has_no_order() -> None:
    with pytest.raises(ValueError, match="numbers"):
        krippendorff_alpha([["left", "right"]], "ordinal")
