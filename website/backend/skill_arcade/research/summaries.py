"""Summaries that Python computes from the rows of a chart's SQL. The snippet of a chart calls them too."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from skill_arcade.analysis.aggregates import (
    bootstrap_interval,
    interquartile_mean,
    performance_profile,
    probability_of_improvement,
)
from skill_arcade.analysis.learning_laws import MIN_SCORES, Law, fit_learning_laws
from skill_arcade.research.flags import FLAGS

REPETITIONS = 400
"""Draws of a bootstrap, so that an answer takes less than 0.3 s. Its interval is uncertain by about a tenth."""
N_THRESHOLDS = 41
Row = dict[str, Any]


def fit_players(rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Fit the laws of practice to the `values` of each player with at least `MIN_SCORES` of them."""
    return [_fit_player(row) for row in rows if len(row["values"]) >= MIN_SCORES]


def _fit_player(row: Mapping[str, Any]) -> Row:
    fit = fit_learning_laws(row["values"])
    differences = {law.law: law.bic - fit.best.bic for law in fit.fits}
    has_gain = np.isfinite(fit.noise_to_gain)
    return {
        "player": row["player"],
        "variant": row["variant"],
        "episodes": row["episodes"],
        "verdict": str(fit.verdict or "undecided"),
        "best": str(fit.best.law),
        "candidates": ", ".join(fit.candidates),
        "noise_to_gain": fit.noise_to_gain if has_gain else None,
        "gain": float(fit.best.predicted[-1] - fit.best.predicted[0]),
        **{f"bic_{law.replace(' ', '_')}": differences[law] for law in Law},
    }


def compare_groups(rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Compare the groups of rows with `group`, `player`, `task`, `episodes` and one `value` per player and task."""
    groups = _by_group(rows)
    compared = []
    for name, members in groups.items():
        scores = _by_task(members)
        others = _by_task([row for other, more in groups.items() if other != name for row in more])
        shared = scores.keys() & others.keys()
        values = [row["value"] for row in members]
        p25, median, p75 = (float(value) for value in np.percentile(values, [25, 50, 75]))
        interval = bootstrap_interval(scores, repetitions=REPETITIONS)
        better = (
            probability_of_improvement({t: scores[t] for t in shared}, {t: others[t] for t in shared})
            if shared
            else None
        )
        compared.append(
            {
                "group": name,
                "players": len({row["player"] for row in members}),
                "episodes": sum(row["episodes"] for row in members),
                "p25": p25,
                "median": median,
                "p75": p75,
                "iqm": interquartile_mean(values),
                "low": interval.low,
                "high": interval.high,
                "p_faster": better,
            }
        )
    return compared


def profile_groups(rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return the share of each group above thresholds from the least value to the greatest."""
    groups = _by_group(rows)
    values = {name: [row["value"] for row in members] for name, members in groups.items()}
    if not values:
        return []
    together = np.concatenate(list(values.values()))
    thresholds = np.linspace(together.min(), together.max(), N_THRESHOLDS)
    return [
        {"group": name, "threshold": float(threshold), "share": float(share), "players": len(members)}
        for name, members in values.items()
        for threshold, share in zip(thresholds, performance_profile(members, thresholds), strict=True)
    ]


def explain_flags(rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Add the `reason` of each flag."""
    return [{"flag": row["flag"], "reason": FLAGS[row["flag"]][1], **row} for row in rows]


def _by_group(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["value"] is not None:
            groups.setdefault(row["group"], []).append(row)
    return groups


def _by_task(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[float]]:
    tasks: dict[str, list[float]] = {}
    for row in rows:
        tasks.setdefault(row["task"], []).append(row["value"])
    return tasks
