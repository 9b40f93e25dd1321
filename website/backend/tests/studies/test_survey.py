"""Questionnaires: answers are checked on the server, and what is correct stays there."""

from typing import Any

import pytest
from pydantic import ValidationError

from skill_arcade.errors import InvalidRequest
from skill_arcade.studies.survey import Survey, check_answers

ELEMENTS: list[dict[str, Any]] = [
    {"type": "radiogroup", "name": "hand", "title": "Hand?", "choices": ["left", "right"], "isRequired": True},
    {"type": "checkbox", "name": "pads", "title": "Pads?", "choices": [{"value": 1, "text": "One"}, "two"]},
    {"type": "rating", "name": "check", "title": "Choose 2.", "rateMax": 7, "correctAnswer": 2},
    {"type": "slider", "name": "effort", "title": "Effort?", "min": 0, "max": 100, "step": 5},
    {"type": "text", "name": "age", "title": "Age?", "inputType": "number", "min": 18},
    {"type": "comment", "name": "note", "title": "Anything else?"},
    {"type": "matrix", "name": "likes", "title": "Likes?", "columns": [1, 2, 3], "rows": ["sea", "ice"]},
]
SURVEY = Survey.model_validate({"pages": [{"name": "page1", "elements": ELEMENTS}]})
GOOD: dict[str, Any] = {
    "hand": "left",
    "pads": [1, "two"],
    "check": 2,
    "effort": 35,
    "age": 40,
    "note": "no",
    "likes": {"sea": 1, "ice": 3},
}


def test_answers_that_fit_are_accepted_and_optional_ones_may_be_left_out() -> None:
    check_answers(SURVEY, GOOD)
    check_answers(SURVEY, {"hand": "right", "note": "", "pads": []})


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("hand", "both"),
        ("hand", None),
        ("hand", True),
        ("pads", "two"),
        ("pads", [3]),
        ("pads", [True]),
        ("check", 8),
        ("check", 2.5),
        ("check", True),
        ("effort", 101),
        ("effort", "35"),
        ("age", 17),
        ("note", 5),
        ("note", "x" * 2001),
        ("likes", {"sky": 1}),
        ("likes", {"sea": 4}),
        ("likes", [1]),
        ("shoe-size", 42),
    ],
)
def test_answer_that_does_not_fit_is_refused(name: str, answer: Any) -> None:
    with pytest.raises(InvalidRequest):
        check_answers(SURVEY, GOOD | {name: answer})


def test_attention_check_that_is_wrong_or_missing_is_counted() -> None:
    assert SURVEY.count_failed_checks(GOOD) == 0
    assert SURVEY.count_failed_checks(GOOD | {"check": 3}) == 1
    assert SURVEY.count_failed_checks({}) == 1


def test_description_for_the_page_has_no_correct_answer() -> None:
    described = SURVEY.describe()
    assert "correct" not in str(described).lower()
    assert [one["type"] for one in described["pages"][0]["elements"]] == [one["type"] for one in ELEMENTS]
    assert described["pages"][0]["elements"][0]["isRequired"] is True


@pytest.mark.parametrize(
    "element",
    [
        {"type": "html", "name": "a", "title": "x", "html": "<b>"},
        {"type": "rating", "name": "a", "title": "x", "rateMin": 5, "rateMax": 5},
        {"type": "rating", "name": "a", "title": "x", "correctAnswer": 6},
        {"type": "slider", "name": "a", "title": "x", "min": 3, "max": 3},
        {"type": "radiogroup", "name": "a", "title": "x", "choices": ["b", "c"], "correctAnswer": "d"},
        {"type": "radiogroup", "name": "a", "title": "x", "choices": ["b"]},
        {"type": "text", "name": "a b", "title": "x"},
        {"type": "text", "name": "a", "title": "x", "visibleIf": "{b} = 1"},
    ],
)
def test_question_outside_of_the_subset_is_refused(element: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Survey.model_validate({"pages": [{"elements": [element]}]})


def test_two_questions_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="two questions are named 'age'"):
        Survey.model_validate({"pages": [{"elements": [ELEMENTS[4]]}, {"elements": [ELEMENTS[4]]}]})
