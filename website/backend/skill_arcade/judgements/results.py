"""Results of a set: counts and reliability of each judge, and the agreement of all."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from sqlalchemy import Row

from skill_arcade.analysis.agreement import Level, krippendorff_alpha

PREFERENCES = {"first": 1.0, "equal": 0.5, "second": 0.0}
"""Preference for the first clip, as libraries for learning from preferences write it."""


@dataclass(frozen=True, slots=True)
class JudgeResult:
    """Counts and reliability of one judge.

    `gold_accuracy` is the share of gold pairs with the right answer, of those with an answer left, right or equal.
    `consistency` is the share of repeats with the same preference as before (ratings: the same rating); `left_share`
    the share of left among left and right. None if there is nothing to count.
    """

    user_id: str
    is_program: bool
    counts: dict[str, int]
    n_gold: int
    gold_accuracy: float | None
    n_repeats: int
    consistency: float | None
    left_share: float | None
    median_reaction_ms: float


@dataclass(frozen=True, slots=True)
class SetResult:
    """Counts and agreement of all judges.

    `alpha` is Krippendorff's, None if no two judges share an item or all agree on one value.
    `n_shared` is the number of items, without repeats, to which two or more judges gave a value.
    """

    judges: list[JudgeResult]
    n_judgements: int
    n_items: int
    n_shared: int
    level: Level
    alpha: float | None


def read_preference(answer: str, is_swapped: bool) -> str | None:
    """Return which clip an answer prefers: first, second or equal; None if it says nothing."""
    if answer == "equal":
        return "equal"
    if answer not in ("left", "right"):
        return None
    return "second" if (answer == "left") == is_swapped else "first"


def read_value(row: Row[Any]) -> str | float | None:
    """Return the preference or the rating of a judgement, None if it has none."""
    return row.rating if row.answer == "rating" else read_preference(row.answer, row.is_swapped)


def summarise(kind: str, rows: Sequence[Row[Any]]) -> SetResult:
    """Summarise valid judgements, the rows of `list_results`."""
    by_judge: dict[str, list[Row[Any]]] = defaultdict(list)
    units: dict[int, list[str | float]] = defaultdict(list)
    for row in rows:
        by_judge[row.user_id].append(row)
        value = read_value(row)
        # A repeat tells about its judge, and would count an item twice.
        if value is not None and row.repeat_of is None:
            units[row.number].append(value)
    level: Level = "nominal" if kind == "pair" else "ordinal"
    alpha = krippendorff_alpha(units.values(), level)
    return SetResult(
        judges=[_summarise_judge(of_judge) for of_judge in by_judge.values()],
        n_judgements=len(rows),
        n_items=len({row.number for row in rows if row.repeat_of is None}),
        n_shared=sum(len(values) > 1 for values in units.values()),
        level=level,
        alpha=None if math.isnan(alpha) else alpha,
    )


def _summarise_judge(rows: Sequence[Row[Any]]) -> JudgeResult:
    values = {row.number: read_value(row) for row in rows}
    gold = [values[row.number] == row.gold for row in rows if row.gold is not None and values[row.number] is not None]
    same = [
        values[row.number] == values[row.repeat_of]
        for row in rows
        if row.repeat_of is not None and values[row.number] is not None and values.get(row.repeat_of) is not None
    ]
    counts = Counter(row.answer for row in rows)
    n_sided = counts["left"] + counts["right"]
    return JudgeResult(
        user_id=rows[0].user_id,
        is_program=rows[0].is_synthetic,
        counts=dict(counts),
        n_gold=len(gold),
        gold_accuracy=_share(gold),
        n_repeats=len(same),
        consistency=_share(same),
        left_share=counts["left"] / n_sided if n_sided else None,
        median_reaction_ms=float(median(row.reaction_ms for row in rows)),
    )


def _share(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None
