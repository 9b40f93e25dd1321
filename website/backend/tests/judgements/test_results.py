"""Results count what judges answered: their reliability, and their agreement."""

from types import SimpleNamespace
from typing import Any

import pytest

from skill_arcade.judgements.results import read_preference, summarise


def answered(judge: str, number: int, answer: str, **fields: Any) -> Any:
    """A row of `list_results`."""
    values = {"repeat_of": None, "gold": None, "is_swapped": False, "rating": None, "reaction_ms": 1000}
    return SimpleNamespace(user_id=judge, is_synthetic=False, number=number, answer=answer, **(values | fields))


@pytest.mark.parametrize(
    ("answer", "is_swapped", "preference"),
    [
        ("left", False, "first"),
        ("left", True, "second"),
        ("right", False, "second"),
        ("right", True, "first"),
        ("equal", True, "equal"),
        ("skip", False, None),
        ("cannot_tell", False, None),
        ("rating", False, None),
    ],
)
def test_preference_is_of_the_clip_and_not_of_its_side(answer: str, is_swapped: bool, preference: str | None) -> None:
    assert read_preference(answer, is_swapped) == preference


def test_reliability_of_a_judge_counts_answers_with_a_preference() -> None:
    rows = [
        answered("ann", 0, "left", gold="first", reaction_ms=500),
        answered("ann", 1, "left", gold="first", is_swapped=True),
        answered("ann", 2, "equal", gold="second"),
        answered("ann", 3, "skip", gold="first", reaction_ms=9000),
        answered("ann", 4, "right"),
        answered("ann", 10, "right", repeat_of=0, gold="first", is_swapped=True),
        answered("ann", 11, "right", repeat_of=4, is_swapped=True),
        answered("ann", 12, "cannot_tell", repeat_of=1, gold="first"),
    ]
    (judge,) = summarise("pair", rows).judges
    assert judge.counts == {"left": 2, "equal": 1, "skip": 1, "right": 3, "cannot_tell": 1}
    assert (judge.n_gold, judge.gold_accuracy) == (4, 0.5)
    assert (judge.n_repeats, judge.consistency) == (2, 0.5)
    assert (judge.left_share, judge.median_reaction_ms) == (0.4, 1000)


def test_agreement_leaves_out_repeats_and_answers_without_a_preference() -> None:
    rows = [
        *(answered("ann", number, answer) for number, answer in enumerate(["left", "right", "left", "right", "skip"])),
        *(answered("bob", number, "right", is_swapped=number % 2 == 0) for number in range(5)),
        answered("ann", 10, "left", repeat_of=0),
        answered("bob", 10, "left", repeat_of=0),
    ]
    result = summarise("pair", rows)
    assert (result.n_items, result.n_shared, result.level) == (5, 4, "nominal")
    assert result.alpha == 1


def test_agreement_of_ratings_is_ordinal() -> None:
    rows = [
        *(answered("ann", number, "rating", rating=float(number)) for number in range(1, 6)),
        *(answered("bob", number, "rating", rating=float(min(number + 1, 5))) for number in range(1, 6)),
    ]
    result = summarise("rating", rows)
    assert result.level == "ordinal"
    assert result.alpha is not None
    assert 0.5 < result.alpha < 1


def test_agreement_of_one_judge_is_not_defined() -> None:
    assert summarise("pair", [answered("ann", 0, "left")]).alpha is None
    assert summarise("pair", []).judges == []
