"""Statistics of LeRobot datasets: per episode, and aggregated like `lerobot.datasets.compute_stats` does.

Values that are not finite are excluded, because neither JSON nor a normalisation has a use for them.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skill_arcade.dataset.frames import Frames

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
MAX_SAMPLED_FRAMES = 100
"""Number of frames of an episode from which the statistics of its pictures are computed."""
MAX_SIDE = 150
"""Pictures are thinned out to about this width and height before statistics are computed."""

Statistics = dict[str, dict[str, Any]]


def describe_values(array: NDArray[Any]) -> dict[str, Any]:
    """Return the statistics over all dimensions but the last one, as LeRobot computes them."""
    columns = array.reshape(len(array), -1) if array.ndim < 3 else array.reshape(-1, array.shape[-1])
    described = [_describe_column(column.astype(np.float64)) for column in columns.T]
    return {
        **{key: [column[key] for column in described] for key in described[0]},
        "count": [len(array)],
    }


def describe_pictures(frames: Frames, count: int) -> dict[str, Any]:
    """Return the statistics of the first `count` frames per colour channel, with shape (3, 1, 1), in 0 to 1."""
    chosen = np.unique(np.round(np.linspace(0, count - 1, min(count, MAX_SAMPLED_FRAMES))).astype(int))
    stride = max(1, min(frames.shape[1:3]) // MAX_SIDE)
    pixels = frames[chosen][:, ::stride, ::stride].reshape(-1, 3)
    channels = [_describe_column(channel / 255.0) for channel in pixels.T.astype(np.float64)]
    described: dict[str, Any] = {key: [[[channel[key]]] for channel in channels] for key in channels[0]}
    return {**described, "count": [len(chosen)]}


def aggregate_stats(episodes: list[Statistics]) -> Statistics:
    """Return the statistics of all episodes together. Quantiles are the weighted means of the episodes'."""
    result: Statistics = {}
    for name in episodes[0]:
        of = {key: np.array([stats[name][key] for stats in episodes], np.float64) for key in episodes[0][name]}
        count = of["count"].reshape(-1, *[1] * (of["mean"].ndim - 1))
        total = count.sum()
        mean = (of["mean"] * count).sum(axis=0) / total
        variance = ((of["std"] ** 2 + (of["mean"] - mean) ** 2) * count).sum(axis=0) / total
        aggregated = {"min": of["min"].min(axis=0), "max": of["max"].max(axis=0), "mean": mean, "std": variance**0.5}
        aggregated |= {key: (of[key] * count).sum(axis=0) / total for key in QUANTILES}
        result[name] = {**{key: value.tolist() for key, value in aggregated.items()}, "count": [int(total)]}
    return result


def _describe_column(column: NDArray[np.float64]) -> dict[str, float]:
    finite = column[np.isfinite(column)]
    if not len(finite):
        finite = np.zeros(1)
    with np.errstate(over="ignore"):
        found = {
            "min": finite.min(),
            "max": finite.max(),
            "mean": finite.mean(),
            "std": finite.std(),
            **dict(zip(QUANTILES, np.quantile(finite, list(QUANTILES.values())), strict=True)),
        }
    return {key: float(np.nan_to_num(value)) for key, value in found.items()}
