"""Answers of a simulated participant: valid for every stage, correct where something is checked, otherwise random."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import JsonValue

from skill_arcade.studies.schema import (
    ConsentStage,
    InstructionsStage,
    QuestionnaireStage,
    ScreeningStage,
    Stage,
)
from skill_arcade.studies.survey import (
    Checkbox,
    Choice,
    Comment,
    Matrix,
    Question,
    RadioGroup,
    Rating,
    Slider,
    TextInput,
)

YEARS_ABOVE_MINIMUM = 12
DEFAULT_REFRESH_HZ, ROUND_TRIP_SHARE = 60.0, 0.5


def simulate_answer(stage: Stage, described: Mapping[str, Any], rng: random.Random) -> dict[str, JsonValue]:
    """Return an answer with which a participant passes this stage.

    Args:
        stage: the stage of the study's file, with limits and correct answers.
        described: the stage as the page is told of it.
        rng: decides what is free.
    """
    match stage:
        case ConsentStage():
            year = datetime.now(UTC).year - stage.minimum_age - YEARS_ABOVE_MINIMUM
            return {"document": described["sha256"], "scopes": list(stage.scopes), "birth_year": year}
        case ScreeningStage():
            return _simulate_device(stage)
        case InstructionsStage():
            return {check.name: check.correct for check in stage.checks}
        case QuestionnaireStage():
            return {question.name: _simulate_question(question, rng) for question in stage.survey.questions()}
        case _:
            return {}


def _simulate_device(stage: ScreeningStage) -> dict[str, JsonValue]:
    low = stage.min_refresh_hz or min(DEFAULT_REFRESH_HZ, stage.max_refresh_hz or DEFAULT_REFRESH_HZ)
    return {
        "refresh_hz": max(low, min(DEFAULT_REFRESH_HZ, stage.max_refresh_hz or DEFAULT_REFRESH_HZ)),
        "round_trip_ms": ROUND_TRIP_SHARE * (stage.max_round_trip_ms or 40),
        "has_keyboard": True,
        "rollover_keys": stage.rollover_keys,
        "has_sound": True,
    }


def _simulate_question(question: Question, rng: random.Random) -> JsonValue:
    correct = getattr(question, "correct_answer", None)
    if correct is not None:
        return correct  # type: ignore[no-any-return]
    match question:
        case RadioGroup():
            return _choose(question.choices, rng)
        case Checkbox():
            return [_choose(question.choices, rng)]
        case Rating():
            return rng.randint(question.rate_min, question.rate_max)
        case Slider():
            n_steps = int((question.max - question.min) / question.step)
            return question.min + question.step * rng.randint(0, n_steps)
        case TextInput() if question.input_type == "number":
            low = question.min if question.min is not None else (question.max or 0) - 1
            return rng.uniform(low, question.max if question.max is not None else low + 1)
        case TextInput() | Comment():
            return "simulated"
        case Matrix():
            return {str(row.value): _choose(question.columns, rng) for row in question.rows}


def _choose(choices: tuple[Choice, ...], rng: random.Random) -> JsonValue:
    return rng.choice(choices).value
