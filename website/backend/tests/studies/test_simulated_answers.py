"""Simulated answers pass every stage of every example, and every type of question."""

import random
from typing import Any

import pytest

from skill_arcade.studies.files import EXAMPLES_FOLDER
from skill_arcade.studies.progress import judge_instructions, judge_questionnaire, judge_screening
from skill_arcade.studies.schema import InstructionsStage, QuestionnaireStage, ScreeningStage, Study
from skill_arcade.studies.simulated_answers import simulate_answer
from tests.support.studies import load_example

EXAMPLES = sorted(path.stem for path in EXAMPLES_FOLDER.glob("*.yaml"))
CHOICES = ["a", "b", "c"]
ELEMENTS: list[dict[str, Any]] = [
    {"type": "radiogroup", "choices": CHOICES},
    {"type": "checkbox", "choices": CHOICES},
    {"type": "rating", "rateMin": 0, "rateMax": 10},
    {"type": "slider", "min": -1, "max": 1, "step": 0.3},
    {"type": "text"},
    {"type": "text", "inputType": "number", "min": 18, "max": 99},
    {"type": "text", "inputType": "number", "max": 5},
    {"type": "text", "inputType": "number"},
    {"type": "comment"},
    {"type": "matrix", "columns": CHOICES, "rows": ["x", "y"]},
]


def passes(stage: Any, rng: random.Random) -> bool:
    answer = simulate_answer(stage, {}, rng)
    match stage:
        case ScreeningStage():
            return judge_screening(stage, answer).is_passed
        case InstructionsStage():
            return judge_instructions(stage, answer, 0).is_passed
        case QuestionnaireStage():
            verdict = judge_questionnaire(stage, answer)
            return verdict.is_passed and verdict.failed_checks == 0
    return True


@pytest.mark.parametrize("name", EXAMPLES)
def test_simulated_answers_pass_every_stage_of_an_example(name: str) -> None:
    study: Study = load_example(name)
    for seed in range(20):
        assert all(passes(stage, random.Random(seed)) for stage in study.stages if stage.kind != "consent")


@pytest.mark.parametrize("element", ELEMENTS, ids=lambda one: f"{one['type']}-{len(one)}")
def test_simulated_answer_fits_every_type_of_question(element: dict[str, Any]) -> None:
    question = {"name": "q", "title": "Q", "isRequired": True, **element}
    survey = {"pages": [{"elements": [question]}]}
    stage = QuestionnaireStage.model_validate({"kind": "questionnaire", "name": "s", "survey": survey})
    assert all(passes(stage, random.Random(seed)) for seed in range(50))


@pytest.mark.parametrize(
    "limits",
    [{}, {"min_refresh_hz": 100}, {"max_refresh_hz": 30}, {"max_round_trip_ms": 5, "rollover_keys": 3, "sound": True}],
)
def test_simulated_device_fits_every_screening(limits: dict[str, Any]) -> None:
    assert passes(ScreeningStage.model_validate({"kind": "screening", "keyboard": True, **limits}), random.Random(1))
