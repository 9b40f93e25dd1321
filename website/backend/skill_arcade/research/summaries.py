"""Summaries that Python computes from the rows of a chart's SQL. The snippet of a chart calls them too."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from skill_arcade.analysis.aggregates import (
    bootstrap_interval,
    interquartile_mean,
    performance_profile,
    probability_of_improvement,
)
from skill_arcade.analysis.learning_laws import MIN_SCORES, Law, fit_learning_laws
from skill_arcade.research.flags import FLAG_REASONS

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
    return [{"flag": row["flag"], "reason": FLAG_REASONS[row["flag"]], **row} for row in rows]


def describe_references(rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return the lines beside people, with their protocol in words and what differs from the shown episodes."""
    rows = list(rows)
    shown = [row for row in rows if row["kind"] == "shown"]
    return [
        {
            **{name: row[name] for name in ("kind", "name", "value", "players", "episodes")},
            "protocol": row["protocol"] or _describe_protocol(row),
            "differs": None if row["kind"] == "shown" else _describe_differences(row, shown),
            "source": row["source"],
        }
        for row in rows
    ]


def explain_references(rows: Sequence[Row]) -> list[str]:
    """Return the protocol of the shown episodes in a sentence, and which lines have another one."""
    shown = [f"{row['protocol']} ({row['episodes']:,} episodes)" for row in rows if row["kind"] == "shown"]
    different = [row["name"] for row in rows if row["differs"] is not None]
    notes = [f"Protocol of the shown episodes: {'; or '.join(shown)}."] if shown else []
    if different:
        notes.append(f"Measured by another protocol: {'; '.join(different)}. The column differs says in what.")
    if not any(row["kind"] in ("random", "human", "agent") for row in rows):
        notes.append("No published scores are known for this game.")
    return notes


def _describe_protocol(row: Mapping[str, Any]) -> str:
    """Return the known parts of a protocol, separated by commas."""
    pace = {
        "stepped": "the game waits for each action",
        "lockstep": "real time, stepped by the program itself",
        None: "real time, as people play",
    }
    parts = [pace.get(row["pace"], "real time")]
    parts += _describe_emulation(row)
    if row["max_episode_frames"] is not None:
        parts.append(f"at most {row['max_episode_frames']:,} frames an episode")
    parts += [row[name] for name in ("start", "evaluation") if row[name] is not None]
    if row["trained_frames"] is not None:
        parts.append(f"trained for {row['trained_frames'] / 1e6:g} million frames")
    return ", ".join(parts)


def _describe_emulation(row: Mapping[str, Any]) -> list[str]:
    parts = []
    if row["sticky_probability"] is not None:
        probability = row["sticky_probability"]
        parts.append(f"sticky actions with probability {probability:g}" if probability else "no sticky actions")
    if row["frame_skip"] is not None:
        parts.append(
            "an action each frame" if row["frame_skip"] == 1 else f"an action every {row['frame_skip']} frames"
        )
    return parts


_COMPARED = {
    "sticky_probability": "sticky actions",
    "frame_skip": "frame skip",
    "max_episode_frames": "length of an episode",
}


def _describe_differences(row: Mapping[str, Any], shown: Sequence[Mapping[str, Any]]) -> str | None:
    """Return in what a protocol differs from those of all shown episodes, or None if in nothing that is known."""
    if row["protocol"] is not None:
        return "see its protocol"  # humans and random agents have a text only
    paces = {one["pace"] or "realtime" for one in shown}
    differences = ["pace"] if shown and (row["pace"] or "realtime") not in paces else []
    for column, name in _COMPARED.items():
        known = {one[column] for one in shown} - {None}
        if row[column] is not None and known and row[column] not in known:
            differences.append(name)
    if row["start"] is not None and row["start"] != "no no-ops":
        differences.append("start")
    return ", ".join(differences) or None


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
