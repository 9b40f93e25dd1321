"""Agreement of judges: Krippendorff's alpha for nominal, ordinal and interval values.

The definitions are those of Krippendorff 2011, Computing Krippendorff's Alpha-Reliability
(https://repository.upenn.edu/asc_papers/43). Alpha is 1 if all judges agree on every unit, 0 if they agree as by
chance, and negative if they agree less than by chance.
"""

from collections.abc import Hashable, Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Level = Literal["nominal", "ordinal", "interval"]

_Floats = NDArray[np.float64]


def krippendorff_alpha(units: Iterable[Sequence[Hashable]], level: Level = "nominal") -> float:
    """Return Krippendorff's alpha, or NaN if it is not defined: nobody shares a unit, or there is one value only.

    Args:
        units: values that judges gave, by unit. Missing values are left out; a unit with one value does not count.
        level: nominal: values differ or not. ordinal and interval: values are numbers; their ranks or their
            differences count.
    """
    shared = [list(unit) for unit in units if len(unit) > 1]
    values = list(dict.fromkeys(value for unit in shared for value in unit))
    if level != "nominal":
        values.sort(key=_as_number)
    if len(values) < 2:
        return float("nan")
    index = {value: place for place, value in enumerate(values)}
    coincidences = np.zeros((len(values), len(values)))
    for unit in shared:
        counts = np.bincount([index[value] for value in unit], minlength=len(values)).astype(np.float64)
        # Each ordered pair of two judges counts 1 / (m - 1), so that a unit counts as often as it has values.
        coincidences += (np.outer(counts, counts) - np.diag(counts)) / (len(unit) - 1)
    totals = coincidences.sum(axis=0)
    expected = (np.outer(totals, totals) - np.diag(totals)) / (totals.sum() - 1)
    distances = _square_distances(values, totals, level)
    return float(1 - (coincidences * distances).sum() / (expected * distances).sum())


def _square_distances(values: Sequence[Hashable], totals: _Floats, level: Level) -> _Floats:
    """Return the squared distance of each two values; `totals` are how often they were given."""
    if level == "nominal":
        return 1 - np.eye(len(values))
    # Ordinal: the rank of a value among all that were given, with half of its own.
    ranks = np.cumsum(totals) - totals / 2
    places = ranks if level == "ordinal" else np.array([_as_number(value) for value in values])
    return np.asarray((places[:, np.newaxis] - places[np.newaxis, :]) ** 2)


def _as_number(value: Hashable) -> float:
    if not isinstance(value, (int, float)):
        raise ValueError(f"expected numbers, not {value!r}: only nominal values may be anything else")
    return float(value)
